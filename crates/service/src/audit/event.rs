//! The event of one call, from its first step to the line that tells of it.

use std::sync::Arc;

use daypass_authn::sigv4::Presented;
use daypass_directory::{Operation, Principal};
use daypass_model::{AccountId, Arn, cut, rfc3339_seconds};
use serde_json::{Value, json};

use super::NOT_LOGGED;
use super::answer::response_elements;
use super::identity::{SigningIn, UserIdentity};
use super::long::omit_long;
use super::record::{Origin, Record, Resource};
use super::said::{names_of_token, said_by_assertion, vouched_by};
use super::traits::AuditTraits;
use super::visit::{VisitEvent, merged};
use crate::action::Row;
use crate::error::Error;
use crate::house::House;
use crate::request::{NAME_MAX, Reply, Request};
use crate::{rest, shapes};

/// Longest line: a larger event says that its parts were left out.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// What a line may need beside the parameters of the call, an answer with two policy documents included.
const LINE_BYTES_BASE: usize = 32 * 1024;
/// Bytes of JSON that one byte of a request can become: `\u0001`.
const ESCAPED_BYTES_MAX: usize = 6;
/// CloudTrail's own bound for user agents and error messages, in characters.
const TEXT_MAX: usize = 1024;
/// The region of everything global.
const GLOBAL_REGION: &str = "us-east-1";

/// The event of one call in the making. It is written once: by [`finish`](Event::finish), or by its end, for
/// a call that panicked or was dropped on the way.
pub(crate) struct Event<'a> {
    house: &'a House,
    op: &'a Operation,
    request: &'a Request,
    row: Option<&'static Row>,
    door: Option<VisitEvent>,
    signing_in: Option<SigningIn>,
    why: Option<String>,
    presented: Option<&'a Presented>,
    principal: Option<Arc<Principal>>,
    reserved: usize,
    written: bool,
}

impl<'a> Event<'a> {
    pub(crate) fn open(house: &'a House, op: &'a Operation, request: &'a Request) -> Self {
        Self {
            house,
            op,
            request,
            row: None,
            door: None,
            signing_in: None,
            why: None,
            presented: None,
            principal: None,
            reserved: 0,
            written: false,
        }
    }

    /// The same of a visit at a door for people.
    pub(crate) fn of_visit(
        house: &'a House,
        op: &'a Operation,
        request: &'a Request,
        name: &'static str,
    ) -> Self {
        let mut event = Self::open(house, op, request);
        event.door = Some(VisitEvent::new(name));
        event
    }

    /// Something else that the event of a visit tells.
    pub(crate) fn tells(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(door) = &mut self.door {
            door.tells(name, value.into());
        }
    }

    /// What the event of a visit is about, now that it shows.
    pub(crate) fn named(&mut self, name: &'static str) {
        if let Some(door) = &mut self.door {
            door.named(name);
        }
    }

    /// Why it was refused, where whoever asked is told less.
    pub(crate) fn why(&mut self, message: &str) {
        self.why = Some(message.to_owned());
    }

    /// Who somebody says they are, which nothing has proven yet.
    pub(crate) fn signing_in(&mut self, who: SigningIn) {
        self.signing_in = Some(who);
    }

    /// The credential in the request, which proves nothing yet.
    pub(crate) fn presented(&mut self, presented: &'a Presented) {
        self.presented = Some(presented);
    }

    pub(crate) fn found(&mut self, row: &'static Row) {
        self.row = Some(row);
    }

    pub(crate) fn principal(&mut self, principal: &Arc<Principal>) {
        self.principal = Some(principal.clone());
    }

    /// Make sure that this event can be written, before anything is done that it must tell of. The room is
    /// that of the longest lines the call can have; it is given back when they are written.
    ///
    /// # Errors
    /// A 503.
    pub(crate) fn reserve(&mut self) -> Result<(), Error> {
        if self.reserved == 0 {
            let lines = if self.hearing().is_some() { 2 } else { 1 };
            let bytes = lines * self.line_bytes_max();
            self.house.audit.log.reserve(bytes)?;
            self.reserved = bytes;
        }
        Ok(())
    }

    /// Hold no room while nothing is being done; it is to be reserved again before something is.
    pub(crate) fn give_back(&mut self) {
        self.house.audit.log.give_back(std::mem::take(&mut self.reserved));
    }

    /// The caller's account, once known.
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.principal.as_ref().map(|principal| principal.account)
    }

    /// Write the event. What must not be without one (credentials, the answer to a write) is returned once the
    /// line is written, and not when it cannot be.
    pub(crate) async fn finish(mut self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        let reserved = self.reserved;
        let Some(lines) = self.close(outcome.as_ref()) else { return outcome };
        let log = &self.house.audit.log;
        if reserved > 0 && outcome.is_ok() {
            let kept = log.write(lines, reserved).await;
            let lost = || {
                Error::unavailable(
                    "The audit log cannot be written, and the request may have been made. Look before you try again.",
                )
            };
            return if kept { outcome } else { Err(lost()) };
        }
        log.append(lines, reserved);
        outcome
    }

    /// No event: a page that asks for more has neither begun nor refused anything.
    pub(crate) fn finish_quietly(mut self) -> Result<Reply, Error> {
        self.give_back();
        self.written = true;
        Ok(Box::new(()))
    }

    /// Write the event of a call that nothing relies on.
    pub(crate) fn tell(&mut self, error: &Error) {
        let reserved = self.reserved;
        if let Some(lines) = self.close(Err(error)) {
            self.house.audit.log.append(lines, reserved);
        }
    }

    /// The lines, to be written now; none for a call that is only counted.
    fn close(&mut self, outcome: Result<&Reply, &Error>) -> Option<String> {
        self.written = true;
        self.reserved = 0;
        let (audit, now) = (&self.house.audit, self.house.now().as_second());
        let provider = outcome.err().and_then(Error::provider);
        let not_logged = match (&self.principal, provider, &self.signing_in) {
            (Some(_), ..) => 0,
            (None, Some(provider), _) if provider.is_alarm => 0,
            (None, Some(provider), _) => audit.not_vouched.take(&provider.name, self.op.source_ip, now)?,
            (None, None, Some(who)) => {
                audit.not_signed_in.take(who.account.as_str(), self.op.source_ip, now)?
            }
            (None, None, None) => audit.unproven.take(now)?,
        };
        Some(self.lines(outcome, not_logged))
    }

    fn lines(&self, outcome: Result<&Reply, &Error>, not_logged: u64) -> String {
        let time = rfc3339_seconds(self.op.now);
        let mut record = self.record(&time, outcome);
        if self.principal.is_none() {
            let told = record.additional_event_data.take().filter(|_| self.door.is_some());
            record.additional_event_data = merged(told, self.unproven(not_logged, outcome.err()));
        }
        let unproven = self.signing_in.as_ref().map(UserIdentity::signing_in);
        record.user_identity = self.principal.as_deref().map(UserIdentity::of).or(unproven);
        let other = self.hearing().filter(|_| outcome.is_ok());
        record.shared_event_id = other.map(|_| self.uuid());
        let mut lines = String::with_capacity(1024);
        self.line(&mut lines, &mut record);
        // The role's account hears of it too, but not who exactly it was.
        if let Some(account) = other {
            record.event_id = self.uuid();
            record.recipient_account_id = Some(account);
            record.user_identity = self.principal.as_deref().map(UserIdentity::from_elsewhere);
            if let Some(name) = self.service() {
                record.taken_by(name);
            }
            self.line(&mut lines, &mut record);
        }
        lines
    }

    fn record<'r>(&'r self, time: &'r str, outcome: Result<&Reply, &'r Error>) -> Record<'r> {
        let Self { op, request, .. } = self;
        let error = outcome.err();
        let denied = error.is_some_and(|error| error.code == "AccessDenied");
        // Not for callers who proved nothing: what they sent is theirs to choose, without end.
        let told = !denied && self.principal.is_some();
        let request_parameters = if told { self.request_parameters() } else { Value::Null };
        let reply = outcome.ok().filter(|_| self.row.is_some_and(|row| !row.read_only));
        Record {
            event_version: "1.08",
            user_identity: None,
            event_time: time,
            event_source: format!("{}.amazonaws.com", or(request.service, "daypass")),
            event_name: self.door.as_ref().map_or(request.action_name(), |door| door.name()),
            aws_region: if request.service == "iam" {
                GLOBAL_REGION
            } else {
                cut(or(&op.region, GLOBAL_REGION), NAME_MAX)
            },
            source_ip_address: op.source_ip.map(Origin::Address),
            user_agent: op.user_agent.as_deref().map(|agent| cut(agent, TEXT_MAX)),
            // A sign-in that failed has a message and no code.
            error_code: error
                .filter(|_| self.signing_in.is_none())
                .map(|error| error_code(request.service, error.code)),
            error_message: error
                .filter(|error| self.may_be_repeated(error))
                .map(|error| cut(self.why.as_ref().unwrap_or(&error.message), TEXT_MAX)),
            resources: if request_parameters.is_null() { Vec::new() } else { self.resources() },
            request_parameters,
            response_elements: match &self.door {
                Some(door) => door.outcome(error.is_none()),
                None => reply.map_or(Value::Null, response_elements),
            },
            additional_event_data: match &self.door {
                Some(door) => Some(door.told(self.principal.as_deref())),
                None => self.told(outcome.ok()),
            },
            request_id: &op.request_id,
            event_id: self.uuid(),
            shared_event_id: None,
            read_only: self.row.map(|row| row.audit.read_only.unwrap_or(row.read_only)),
            event_type: if self.door.is_some() { "AwsConsoleSignIn" } else { "AwsApiCall" },
            management_event: true,
            session_credential_from_console: self
                .principal
                .as_ref()
                .filter(|who| who.is_in_console() && self.door.is_none())
                .map(|_| "true"),
            recipient_account_id: self
                .account()
                .or(error.and_then(Error::provider).and_then(|asked| asked.account))
                .or(self.signing_in.as_ref().map(|who| who.account)),
            event_category: "Management",
        }
    }

    fn request_parameters(&self) -> Value {
        let operation = shapes::operation(self.request.service, &self.request.action);
        let (Some(operation), Ok(params)) = (operation, &self.request.params) else { return Value::Null };
        let mut logged = params.logged(operation);
        self.traits().hidden.iter().for_each(|pointer| hide(&mut logged, pointer));
        if let (Some(tags), Some(members)) = (self.inherited_tags(), logged.as_object_mut()) {
            members.insert("incomingTransitiveTags".into(), tags);
        }
        if let (Some(members), Some(vouched)) =
            (logged.as_object_mut(), self.principal.as_ref().and_then(|who| who.vouched()))
        {
            members.extend(said_by_assertion(vouched));
        }
        logged
    }

    /// What the caller's session hands on, where the call takes it over.
    fn inherited_tags(&self) -> Option<Value> {
        let session = self.principal.as_ref()?.session.as_ref().filter(|_| self.traits().inherits_tags)?;
        let tags: serde_json::Map<_, _> =
            session.claims.transitive_tags().map(|tag| (tag.key.clone(), tag.value.clone().into())).collect();
        (!tags.is_empty()).then_some(Value::Object(tags))
    }

    /// How a proven caller signed, under CloudTrail's name for it (Amazon S3 User Guide, "Amazon S3 CloudTrail
    /// events"); and of an answer to a call that only reads, what is kept all the same.
    fn told(&self, reply: Option<&Reply>) -> Option<Value> {
        // A signature beside the proof of a provider is not looked at.
        if let Some(vouched) = self.principal.as_ref().and_then(|who| who.vouched()) {
            let is_told = vouched.service_name().is_none() || vouched.by_certificate.is_some();
            return is_told.then(|| vouched_by(vouched));
        }
        let version = self.presented.and_then(Presented::version)?;
        let mut data = serde_json::Map::from_iter([("SignatureVersion".to_owned(), version.into())]);
        let AuditTraits { told, token, .. } = self.traits();
        let is_told = !told.is_empty() || token.is_some();
        let answer = reply.filter(|_| is_told).and_then(|reply| serde_json::to_value(&**reply).ok());
        if let Some(answer) = answer {
            let told = told.iter().filter_map(|(name, pointer)| Some((*name, answer.pointer(pointer)?)));
            data.extend(told.map(|(name, value)| (name.to_owned(), value.clone())));
            let token = token.and_then(|member| answer.get(member)?.as_str());
            data.extend(token.into_iter().flat_map(names_of_token));
        }
        Some(Value::Object(data))
    }

    /// Of a call by nobody that we know: the key it claimed, which whoever looks for a guesser or a
    /// forgotten program wants, the provider that does not vouch for it, and how many such calls went before it without a line.
    fn unproven(&self, not_logged: u64, error: Option<&Error>) -> Option<Value> {
        let mut data = serde_json::Map::new();
        let presented = self.presented.and_then(Presented::credential);
        if let Some((id, _)) = presented.filter(|(id, _)| looks_like_a_key_id(id)) {
            data.insert("presentedAccessKeyId".into(), id.into());
        }
        if let Some(provider) = error.and_then(Error::provider) {
            data.insert("identityProvider".into(), provider.name.as_str().into());
            let verified = provider.verified.iter();
            data.extend(verified.map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
        }
        if not_logged > 0 {
            data.insert(NOT_LOGGED.into(), not_logged.into());
        }
        (!data.is_empty()).then_some(Value::Object(data))
    }

    /// Whether what the caller was told may stand in a record: while no provider is known, it may repeat the token that was
    /// refused, and who wrote that is not known.
    fn may_be_repeated(&self, error: &Error) -> bool {
        let is_quoted = error.provider().is_none() && self.row.is_some_and(|row| row.vouch.is_some());
        self.principal.is_some() || !is_quoted
    }

    fn traits(&self) -> &'static AuditTraits {
        self.row.map_or(&AuditTraits::PLAIN, |row| &row.audit)
    }

    fn resources(&self) -> Vec<Resource<'_>> {
        let found =
            self.role().map(|(arn, account_id)| Resource { account_id, r#type: "AWS::IAM::Role", arn });
        found.into_iter().collect()
    }

    /// The account that hears of the call beside the caller's.
    fn hearing(&self) -> Option<AccountId> {
        match self.service() {
            Some(_) => self.role().map(|(_, account)| account),
            None => self.account_of_role(),
        }
    }

    /// The service that gets the role.
    fn service(&self) -> Option<&str> {
        self.request.params.as_ref().ok()?.text(self.traits().service?)
    }

    /// The account of the role that the call is about, where that is not the caller's.
    fn account_of_role(&self) -> Option<AccountId> {
        let caller = self.principal.as_ref()?.account;
        self.role().map(|(_, account)| account).filter(|account| *account != caller)
    }

    /// The role that the call is about, and its account.
    fn role(&self) -> Option<(&str, AccountId)> {
        let text = self.request.params.as_ref().ok()?.text(self.traits().role?)?;
        Some((text, text.parse::<Arn>().ok()?.account_id()?))
    }

    fn line_bytes_max(&self) -> usize {
        let sent = self.request.http.body.len() + self.request.http.query.len();
        (LINE_BYTES_BASE + ESCAPED_BYTES_MAX * sent).min(LINE_BYTES_MAX)
    }

    /// Add the line of a record, without what would make it too long.
    fn line(&self, lines: &mut String, record: &mut Record<'_>) {
        let mut line = record.to_line();
        if line.len() > self.line_bytes_max() {
            for members in [&mut record.request_parameters, &mut record.response_elements] {
                omit_long(members, self.line_bytes_max() / 8);
            }
            line = record.to_line();
        }
        if line.len() > self.line_bytes_max() {
            let omitted = json!({"omitted": true, "reason": "too large", "originalSize": line.len()});
            record.request_parameters = omitted.clone();
            record.response_elements = omitted;
            line = record.to_line();
        }
        lines.push_str(&line);
    }

    fn uuid(&self) -> String {
        daypass_model::uuid(self.house.directory.random())
    }
}

impl Drop for Event<'_> {
    /// A call that panicked has an event too, and gives its room back.
    fn drop(&mut self) {
        if !self.written {
            self.tell(&Error::internal("the call ended without an outcome"));
        }
    }
}

/// Only what has the form of issued ids: somebody may have put a secret, or anything else, in its place.
fn looks_like_a_key_id(text: &str) -> bool {
    let base32 = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7');
    (16..=32).contains(&text.len())
        && ["AKIA", "ASIA"].iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(base32)
}

/// CloudTrail prints the model's name of an error where the wire has its code.
fn error_code(service: &str, code: &'static str) -> &'static str {
    if code == "AccessDenied" {
        return code;
    }
    let code = rest::code(service, code);
    shapes::service(service).and_then(|service| service.error(code)).map_or(code, |error| error.name)
}

/// Leave out the parameter at this pointer, however its own name is spelled: condition keys ignore case.
fn hide(logged: &mut Value, pointer: &str) {
    let (place, name) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(members) = logged.pointer_mut(place).and_then(Value::as_object_mut) {
        members.retain(|member, _| !member.eq_ignore_ascii_case(name));
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
