#!/usr/bin/env ruby
# Prints a link that opens the console as a federated user: the program of AWS's guide of 2012, with the AWS SDK for Ruby,
# version 1, as Debian still has it (`ruby-aws-sdk`), over TLS.
#
# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are long-term keys of a user who may call GetFederationToken. DAYPASS_URL is where
# daypass is, AWS_CA_BUNDLE who vouches for its certificate.

require 'json'
require 'net/http'
require 'openssl'
require 'uri'
require 'aws-sdk'

daypass = URI.parse(ENV.fetch('DAYPASS_URL'))
name, policy_file, issuer, destination = ARGV
abort "usage: console_link.rb NAME POLICY_FILE [ISSUER [DESTINATION]]" unless name && policy_file

sts = AWS::STS.new(
  access_key_id: ENV.fetch('AWS_ACCESS_KEY_ID'),
  secret_access_key: ENV.fetch('AWS_SECRET_ACCESS_KEY'),
  sts_endpoint: daypass.host,
  sts_port: daypass.port,
  use_ssl: true,
  ssl_ca_file: ENV['AWS_CA_BUNDLE']
)

# The link can do what this policy says, whoever gets hold of it.
policy = AWS::STS::Policy.from_json(File.read(policy_file))
session = sts.new_federated_session(name, policy: policy, duration: 3600)
given = session.credentials

federation = daypass + '/federation'
http = Net::HTTP.new(federation.host, federation.port)
http.use_ssl = true
http.ca_file = ENV['AWS_CA_BUNDLE'] if ENV['AWS_CA_BUNDLE']

# In a body, and not in the address as the guide has it: addresses end in the logs of every proxy on the way.
request = Net::HTTP::Post.new(federation.request_uri)
request.set_form_data(
  'Action' => 'getSigninToken',
  'SessionType' => 'json',
  'Session' => JSON.generate(
    'sessionId' => given[:access_key_id],
    'sessionKey' => given[:secret_access_key],
    'sessionToken' => given[:session_token]
  )
)
answer = http.request(request)
abort "daypass answered #{answer.code}: #{answer.body}" unless answer.is_a?(Net::HTTPOK)

wanted = {
  'Action' => 'login',
  'SigninToken' => JSON.parse(answer.body).fetch('SigninToken'),
  'Issuer' => issuer || 'https://signin.example.com/',
  'Destination' => destination || 'https://console.aws.amazon.com/sns'
}
federation.query = URI.encode_www_form(wanted)
puts federation
