//! The codes of findings: what each means and what to do about it. `docs/policy-findings.md` is made of this table.
//!
//! Where IAM Access Analyzer has a check of the same meaning the code is its issue code (IAM User Guide, "Access
//! Analyzer policy check reference"). Codes are stable: tools of others filter by them.

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The document is refused when it is written.
    Error,
    /// It is accepted, and may give more than its author means to give.
    SecurityWarning,
    /// It is accepted, and does not do what it seems to say.
    Warning,
    /// It is accepted and works; it could be clearer.
    Suggestion,
}

impl Severity {
    /// The name, as Access Analyzer spells it: `SECURITY_WARNING`…
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "ERROR",
            Severity::SecurityWarning => "SECURITY_WARNING",
            Severity::Warning => "WARNING",
            Severity::Suggestion => "SUGGESTION",
        }
    }
}

/// One table for the type, the documentation and the messages.
macro_rules! codes {
    ($($severity:ident $variant:ident $name:literal $means:literal $remedy:literal)*) => {
        /// What a finding is about. The same code always means the same.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $means] $variant,)*
        }

        impl Code {
            /// Every code, by severity.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable name: `PASS_ROLE_WITH_STAR_IN_RESOURCE`…
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// How much it matters.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// What it means, in a sentence or two.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $means,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    Error JsonSyntaxError "JSON_SYNTAX_ERROR"
        "The text is not JSON, holds a character that policies may not have, or names a member twice."
        "Mend the text at this place."
    Error InvalidPolicyElement "INVALID_POLICY_ELEMENT"
        "Policies have no element of this name. Names are case-sensitive."
        "Use the names of the policy grammar: Version, Id, Statement; Sid, Effect, Principal, Action, Resource, Condition and their negations."
    Error DataTypeMismatch "DATA_TYPE_MISMATCH"
        "The element is of a JSON type that it cannot have."
        "Write a string, a list of strings or an object, as the element asks for."
    Error UnsupportedElementCombination "UNSUPPORTED_ELEMENT_COMBINATION"
        "An element stands beside its own negation."
        "Keep one of the two, or make two statements."
    Error InvalidVersion "INVALID_VERSION"
        "There is no such version of the policy language."
        "Write \"Version\": \"2012-10-17\"."
    Error UnsupportedVersion "UNSUPPORTED_VERSION"
        "Managed policies are written in version 2012-10-17 only."
        "Write \"Version\": \"2012-10-17\"."
    Error MissingStatement "MISSING_STATEMENT"
        "The policy has no statement."
        "Add a statement."
    Error MissingEffect "MISSING_EFFECT"
        "The statement says neither Allow nor Deny."
        "Add \"Effect\": \"Allow\" or \"Effect\": \"Deny\"."
    Error InvalidEffect "INVALID_EFFECT"
        "An effect is Allow or Deny, in this spelling."
        "Write \"Allow\" or \"Deny\"."
    Error InvalidSid "INVALID_SID"
        "The name of a statement consists of letters and digits."
        "Take out what is neither."
    Error UniqueSidsRequired "UNIQUE_SIDS_REQUIRED"
        "Two statements have the same Sid."
        "Give each statement a name of its own."
    Error MissingAction "MISSING_ACTION"
        "The statement names no action."
        "Add Action or NotAction."
    Error InvalidActionFormat "INVALID_ACTION_FORMAT"
        "An action is a service, a colon and a name; wildcards stand in the name only."
        "Write it like s3:GetObject, or * for every action."
    Error UnsupportedActionInPolicy "UNSUPPORTED_ACTION_IN_POLICY"
        "A trust policy speaks of the actions of STS that go with roles, and of no others."
        "Use sts:AssumeRole, sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, sts:TagSession, sts:SetSourceIdentity or sts:SetContext."
    Error MissingResource "MISSING_RESOURCE"
        "The statement names no resource."
        "Add Resource or NotResource."
    Error UnsupportedResource "UNSUPPORTED_RESOURCE"
        "A trust policy has no resource: it is always about its own role."
        "Remove the element."
    Error InvalidArn "INVALID_ARN"
        "The resource is not an ARN of the form that its service has."
        "Write arn:aws:service:region:account:resource, or * for every resource."
    Error InvalidConditionOperator "INVALID_CONDITION_OPERATOR"
        "There is no such condition operator. Names are case-sensitive."
        "Use an operator of the policy grammar, with ForAllValues:, ForAnyValue: or IfExists where they belong."
    Error InvalidConditionValue "INVALID_CONDITION_VALUE"
        "The value cannot be read as the operator's type."
        "Write a number, a date, an address, an ARN or base64 text, as the operator asks for."
    Error MissingPrincipal "MISSING_PRINCIPAL"
        "A policy of this kind must say whom it is about."
        "Add Principal."
    Error UnsupportedPrincipalElement "UNSUPPORTED_PRINCIPAL_ELEMENT"
        "A policy of this kind names no principal: it is about whoever it is attached to."
        "Remove the element."
    Error InvalidPrincipal "INVALID_PRINCIPAL"
        "The principal has a form that no principal has."
        "Name an account, the ARN of a user, role or session, a service or a provider; ARNs without wildcards."
    Error AllowWithNotPrincipal "ALLOW_WITH_NOT_PRINCIPAL"
        "Allow with NotPrincipal lets in everybody but the ones named, people without credentials included."
        "Name those who may with Principal."
    Error UnsupportedNotPrincipal "UNSUPPORTED_NOT_PRINCIPAL"
        "A policy of this kind cannot use NotPrincipal."
        "Name those it is about with Principal; deny others by a condition on aws:PrincipalArn."
    Error MissingConditionForCognito "MISSING_CONDITION_FOR_COGNITO"
        "Cognito gives tokens to anybody: trusting it without a condition trusts everybody."
        "Add a condition on cognito-identity.amazonaws.com:aud."
    Error MissingConditionForSharedIssuer "MISSING_CONDITION_FOR_SHARED_ISSUER"
        "The issuer gives tokens to everybody who has an account with it: a statement that trusts it must itself say whose."
        "Add StringEquals or StringLike on the named claim, with a value that begins with what is yours."
    Error RcpSyntax "RCP_SYNTAX"
        "A resource control policy denies named actions to everybody: Effect Deny, Principal *, no NotAction and no lone * in Action."
        "Write the statement in that form."
    Error PolicySizeExceedsQuota "POLICY_SIZE_EXCEEDS_QUOTA"
        "The policy is longer than one of its kind may be. White space counts in session policies, SCPs and RCPs only."
        "Shorten it, or divide it among several policies."

    SecurityWarning AllowWithStarPrincipal "ALLOW_WITH_STAR_PRINCIPAL"
        "Everybody is allowed, people of other accounts included, and no condition says who."
        "Name the principals, or add a condition such as aws:PrincipalOrgID, aws:PrincipalArn or aws:SourceIp."
    SecurityWarning PassRoleWithStarInResource "PASS_ROLE_WITH_STAR_IN_RESOURCE"
        "iam:PassRole on a wildcard lets the holder hand any such role to a service, and act with its rights."
        "Name the roles, or add a condition on iam:PassedToService."
    SecurityWarning PassRoleWithStarInAction "PASS_ROLE_WITH_STAR_IN_ACTION_AND_STAR_IN_RESOURCE"
        "The wildcard in the action takes in iam:PassRole, on resources that are a wildcard too."
        "List the actions, or deny iam:PassRole on roles that are not meant."
    SecurityWarning PassRoleWithNotAction "PASS_ROLE_WITH_NOT_ACTION_AND_STAR_IN_RESOURCE"
        "NotAction with Allow gives every action but those named, iam:PassRole among them."
        "List the actions that are meant, or add iam:* to NotAction."
    SecurityWarning PassRoleWithNotResource "PASS_ROLE_WITH_NOT_RESOURCE"
        "iam:PassRole is given on every role but those named, roles of tomorrow included."
        "Name the roles that are meant with Resource."
    SecurityWarning MissingSubForSharedIssuer "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL"
        "Everybody who uses this provider gets tokens of the same issuer; without a condition on the subject they all are trusted."
        "Add StringEquals or StringLike on the provider's sub claim, with a value that begins with what is yours."
    SecurityWarning ServiceWithoutSource "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL"
        "A service is allowed whoever made it act: others may use it as a confused deputy."
        "Add a condition on aws:SourceArn, aws:SourceAccount or aws:SourceOrgID."
    SecurityWarning ForAllValuesWithSingleValuedKey "FORALLVALUES_WITH_SINGLE_VALUED_KEY"
        "ForAllValues holds when the key is missing, so that this Allow applies to requests without it."
        "Use the operator without ForAllValues."
    SecurityWarning AllowWithNegatedCondition "ALLOW_WITH_NEGATED_CONDITION_ON_OPTIONAL_KEY"
        "A negated operator holds when the key is missing, so that this Allow applies to requests without it."
        "Add \"Null\": {key: \"false\"} to the condition, or say what is allowed instead of what is not."
    SecurityWarning AllowIfMfaUnknown "ALLOW_WHEN_MFA_IS_UNKNOWN"
        "Requests with long-term keys have no aws:MultiFactorAuthPresent, so that IfExists allows them without MFA."
        "Use Bool instead of BoolIfExists in a statement that allows."
    SecurityWarning DenyMissesLongTermKeys "DENY_WITHOUT_MFA_MISSES_LONG_TERM_KEYS"
        "Requests with long-term keys have no aws:MultiFactorAuthPresent, so that this Deny does not stop them."
        "Use BoolIfExists in a statement that denies."

    Warning MissingVersion "MISSING_VERSION"
        "Without Version 2012-10-17 policy variables are plain text."
        "Add \"Version\": \"2012-10-17\"."
    Warning VariableUnsupportedInVersion "VARIABLE_UNSUPPORTED_IN_VERSION"
        "In a policy older than 2012-10-17 this variable is plain text."
        "Write \"Version\": \"2012-10-17\"."
    Warning VariableUnsupportedInElement "VARIABLE_UNSUPPORTED_IN_ELEMENT"
        "Here a variable is plain text: variables work in the last part of a resource and under String and Arn operators."
        "Write the value, or move the variable."
    Warning VariableWithoutValue "VARIABLE_WITHOUT_VALUE"
        "No request gives the variable a value: a resource with it matches nothing, and a value differs from everything."
        "Write it like ${aws:username} or ${aws:PrincipalTag/team, 'none'}, with a key that has one value."
    Warning MissingBraceInVariable "MISSING_BRACE_IN_VARIABLE"
        "Without its closing brace the variable is plain text."
        "Close the brace."
    Warning InvalidAction "INVALID_ACTION"
        "The service has no action of this name, so it never matches."
        "Correct the name."
    Warning NotActionStar "NOT_ACTION_WITH_STAR"
        "NotAction with every action leaves none: the statement never matches."
        "Name the actions to leave out, or remove the statement."
    Warning NotResourceStar "NOT_RESOURCE_WITH_STAR"
        "NotResource with every resource leaves none: the statement never matches."
        "Name the resources to leave out, or remove the statement."
    Warning EmptyArrayAction "EMPTY_ARRAY_ACTION"
        "An empty list of actions matches nothing."
        "Name the actions, or remove the statement."
    Warning EmptyArrayResource "EMPTY_ARRAY_RESOURCE"
        "An empty list of resources matches nothing."
        "Name the resources, or remove the statement."
    Warning EmptyArrayCondition "EMPTY_ARRAY_CONDITION"
        "No value can match an empty list: the statement never matches, or with a negated operator the condition says nothing."
        "Give values, or remove the key."
    Warning ActionWithoutResource "ACTION_WITHOUT_RESOURCE"
        "The action takes no resource, and only Resource \"*\" reaches it: with these ARNs it never matches."
        "Move the action to a statement with \"Resource\": \"*\"."
    Warning ResourceNeverMatches "RESOURCE_NEVER_MATCHES"
        "This is neither * nor an ARN of the partition aws: it never matches, so that nothing is allowed or denied by it."
        "Give the ARN, from arn:aws: on."
    Warning ResourceOfOtherService "RESOURCE_OF_OTHER_SERVICE"
        "None of the statement's actions works on resources of this service: it never matches."
        "Correct the ARN, or add the actions that are meant."
    Warning BucketForObjects "S3_BUCKET_FOR_OBJECT_ACTION"
        "The action works on objects, and this ARN names a bucket: it never matches."
        "Add /* to the ARN, or the key."
    Warning ObjectForBucket "S3_OBJECT_FOR_BUCKET_ACTION"
        "The action works on buckets, and this ARN names objects: it never matches."
        "Take the ARN of the bucket, without a key."
    Warning AssumeRoleWithoutRole "ASSUME_ROLE_WITHOUT_ROLE"
        "What is taken is a role, by the ARN of the role: this ARN names a user, a group or a session, and never matches."
        "Take the ARN of the role: arn:aws:iam::ACCOUNT:role/NAME."
    Warning GroupAsPrincipal "GROUP_AS_PRINCIPAL"
        "Groups are no principals: the entry is nobody, and the members of the group are not meant."
        "Name the users, or the account with a condition on a tag of its users."
    Warning ContradictoryConditions "CONTRADICTORY_CONDITIONS"
        "Two conditions on the same key exclude each other: the statement never matches."
        "Keep the one that is meant, or make two statements."
    Warning MissingQualifier "MISSING_QUALIFIER"
        "The key has many values: without ForAllValues or ForAnyValue the condition is never met while it is there."
        "Write ForAnyValue: or ForAllValues: before the operator."
    Warning InvalidGlobalConditionKey "INVALID_GLOBAL_CONDITION_KEY"
        "There is no such global condition key, so it is missing in every request."
        "Correct the name."
    Warning InvalidServiceConditionKey "INVALID_SERVICE_CONDITION_KEY"
        "There is no such condition key of sts or saml, so it is missing in every request."
        "Correct the name."
    Warning UnknownClaimAsConditionKey "UNKNOWN_CLAIM_AS_CONDITION_KEY"
        "The claim is no condition key of this issuer, so it is missing in every request, unless it is set for the provider."
        "Correct the name, or make the claim a key with daypass:PutOpenIDConnectProviderSettings."
    Warning MissingTagKey "MISSING_TAG_KEY"
        "The condition key of a tag needs the tag's name after a slash."
        "Write it like aws:PrincipalTag/team."
    Warning ConditionValueNeverMatches "CONDITION_VALUE_NEVER_MATCHES"
        "The value cannot be read as the operator's type, so it never matches."
        "Correct the value."
    Warning NullWithIfExists "NULL_WITH_IF_EXISTS"
        "NullIfExists has no meaning: an Allow with it never applies, a Deny with it always does."
        "Use Null without IfExists."
    Warning WildcardWithoutLike "WILDCARD_WITHOUT_LIKE_OPERATOR"
        "Under this operator * and ? are plain characters."
        "Use StringLike or StringNotLike."
    Warning PrivateIpAddress "PRIVATE_IP_ADDRESS"
        "aws:SourceIp is the address that daypass sees, which behind a proxy or from the internet is not a private one."
        "Check that callers really reach daypass from this network."
    Warning NotPrincipalWithoutAccount "NOT_PRINCIPAL_WITHOUT_ACCOUNT"
        "NotPrincipal spares a user or role only when its account is named too (and a session only with its role): they are denied."
        "Add the account, or deny by a condition on aws:PrincipalArn."
    Warning DuplicateSids "UNIQUE_SIDS_RECOMMENDED"
        "Two statements have the same Sid."
        "Give each statement a name of its own."

    Suggestion RedundantAction "REDUNDANT_ACTION"
        "Another action of the list takes this one in."
        "Remove it."
    Suggestion RedundantResource "REDUNDANT_RESOURCE"
        "Another resource of the list takes this one in."
        "Remove it."
    Suggestion RedundantStatement "REDUNDANT_STATEMENT"
        "Another statement says the same."
        "Remove one of them."
    Suggestion RedundantConditionValue "REDUNDANT_CONDITION_VALUE"
        "The value is in the list twice."
        "Remove it."
    Suggestion EmptySid "EMPTY_SID_VALUE"
        "An empty Sid names nothing."
        "Remove it, or name the statement."
    Suggestion EmptyObjectCondition "EMPTY_OBJECT_CONDITION"
        "The operator has no keys, so it says nothing."
        "Remove it."
    Suggestion ForAllValuesHoldsWithoutKey "FORALLVALUES_HOLDS_WITHOUT_KEY"
        "ForAllValues holds when the key is missing too."
        "Add \"Null\": {key: \"false\"} if the key must be there."
}
