#!/bin/sh
# Keys in every form that openssl writes, a certificate for each, and certificates that are signed with SHA-1.
set -eu
new() { openssl req -x509 -new -key "$1" -subj "/CN=$2" -days 36500 -set_serial 0x1f2e3d4c5b6a79 -addext keyUsage=critical,digitalSignature -addext basicConstraints=CA:FALSE "$3" -out "$2.pem"; }
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
openssl rsa -in rsa.key -traditional -out rsa-pkcs1.key
openssl pkcs8 -topk8 -in rsa.key -passout pass:x -out rsa-encrypted.key
openssl rsa -in rsa.key -aes256 -passout pass:x -traditional -out rsa-encrypted-pkcs1.key
new rsa.key rsa -sha256
new rsa.key rsa-sha1 -sha1
for curve in P-256 P-384 P-521; do
    name=$(echo $curve | tr -d - | tr P p)
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:$curve -out $name.key
    new $name.key $name -sha256
done
new p256.key p256-sha1 -sha1
openssl ecparam -name prime256v1 -genkey -out p256-sec1.key
new p256-sec1.key p256-sec1 -sha256
openssl ecparam -name secp256k1 -genkey -noout -out secp256k1.key
openssl genpkey -algorithm ED25519 -out ed25519.key
