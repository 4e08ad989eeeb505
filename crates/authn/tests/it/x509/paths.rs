//! From a certificate to a trust anchor: every link, and every way in which one can be none.

use daypass_authn::x509::{BadCrl, Certificate, Crl, Field, Unfit, Untrusted, blocks, path};
use jiff::Timestamp;
use proptest::prelude::*;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, SanType, SerialNumber, date_time_ymd,
};

use super::machine::{Holder, authority_params, machine_params, params};

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn read(holder: &Holder) -> Certificate {
    Certificate::from_der(&holder.der).unwrap()
}

/// How many certificates the path has.
fn length(leaf: &Holder, between: &[&Holder], anchors: &[&Holder]) -> Result<usize, Untrusted> {
    let all = |holders: &[&Holder]| holders.iter().map(|holder| read(holder)).collect::<Vec<_>>();
    path(&read(leaf), &all(between), &all(anchors), now()).map(|path| path.len())
}

fn unfit(params: CertificateParams) -> Untrusted {
    let root = Holder::root("root");
    length(&root.issue(params), &[], &[&root]).unwrap_err()
}

#[test]
fn every_link_is_followed_in_any_order_and_none_twice() {
    let root = Holder::root("root");
    let one = root.issue(authority_params("one", None));
    let two = one.issue(authority_params("two", Some(0)));
    let host = two.machine("host", 7);
    assert_eq!(length(&host, &[&one, &two], &[&root]), Ok(4));
    assert_eq!(length(&host, &[&two, &two, &one, &Holder::root("other")], &[&root]), Ok(4));
    // An anchor may be in the middle, and needs no signature of its own to be trusted.
    assert_eq!(length(&host, &[&two], &[&one]), Ok(3));
    assert_eq!(length(&host, &[], &[&Holder::root("two"), &two]), Ok(2));
    for (between, anchors) in [
        (vec![&one], vec![&root]),
        (vec![&two], vec![&root]),
        (vec![&one, &two], vec![]),
        (vec![&one, &two], vec![&host]),
        (vec![&one, &two, &root], vec![]),
    ] {
        assert_eq!(length(&host, &between, &anchors), Err(Untrusted::NoPath));
    }
    // More than anybody looks at.
    assert_eq!(length(&host, &[&one, &two, &one, &one, &one, &one], &[&root]), Err(Untrusted::NoPath));
}

#[test]
fn an_authority_of_the_same_name_and_another_key_issued_nothing() {
    let (root, twin) = (Holder::root("root"), Holder::root("root"));
    let host = twin.machine("host", 7);
    assert_eq!(length(&host, &[], &[&root]), Err(Untrusted::NoPath));
    assert_eq!(length(&host, &[&twin], &[&root]), Err(Untrusted::NoPath));
    assert_eq!(length(&host, &[], &[&root, &twin]), Ok(2));
}

#[test]
fn a_loop_ends() {
    let (a, b) = (Holder::root("a"), Holder::root("b"));
    let a_by_b = b.issue(authority_params("a", None));
    let b_by_a = a.issue(authority_params("b", None));
    let host = a_by_b.machine("host", 7);
    assert_eq!(length(&host, &[&a_by_b, &b_by_a, &b], &[&Holder::root("root")]), Err(Untrusted::NoPath));
}

#[test]
fn no_more_authorities_stand_below_one_than_it_allows() {
    let root = Holder::self_signed(authority_params("root", Some(1)));
    let one = root.issue(authority_params("one", None));
    let two = one.issue(authority_params("two", None));
    assert_eq!(length(&one.machine("host", 7), &[&one], &[&root]), Ok(3));
    assert_eq!(length(&two.machine("host", 7), &[&one, &two], &[&root]), Err(Untrusted::NoPath));
}

#[test]
fn the_end_of_a_path_is_no_authority_and_may_sign_for_clients_now() {
    let changed = |change: fn(&mut CertificateParams)| {
        let mut params = machine_params("host", 7);
        change(&mut params);
        unfit(params)
    };
    for (change, why) in [
        ((|it| it.not_after = date_time_ymd(2026, 1, 15)) as fn(&mut CertificateParams), Unfit::Expired),
        (|it| it.not_before = date_time_ymd(2026, 1, 16), Unfit::NotYetValid),
        (|it| it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained), Unfit::Authority),
        (|it| it.key_usages = vec![KeyUsagePurpose::KeyEncipherment], Unfit::KeyUsage),
        (|it| it.key_usages.clear(), Unfit::KeyUsage),
        (|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth], Unfit::ExtendedKeyUsage),
        (|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any], Unfit::ExtendedKeyUsage),
    ] {
        assert_eq!(changed(change), Untrusted::Unfit(why));
    }
}

#[test]
fn what_stands_between_is_an_authority_for_clients_now() {
    let root = Holder::root("root");
    let with = |change: fn(&mut CertificateParams)| {
        let mut params = authority_params("between", None);
        change(&mut params);
        let between = root.issue(params);
        length(&between.machine("host", 7), &[&between], &[&root])
    };
    assert_eq!(with(|_| {}), Ok(3));
    assert_eq!(with(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]), Ok(3));
    for change in [
        (|it| it.not_after = date_time_ymd(2026, 1, 15)) as fn(&mut CertificateParams),
        |it| it.not_before = date_time_ymd(2026, 1, 16),
        |it| it.is_ca = IsCa::ExplicitNoCa,
        |it| it.key_usages = vec![KeyUsagePurpose::DigitalSignature],
        |it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        |it| it.distinguished_name = DistinguishedName::new(),
    ] {
        assert_eq!(with(change), Err(Untrusted::NoPath));
    }
}

#[test]
fn what_is_critical_and_not_understood_is_refused() {
    let read = |params: CertificateParams| Certificate::from_der(&Holder::self_signed(params).der);
    let mut unknown = machine_params("host", 7);
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    unknown.custom_extensions = vec![extension.clone()];
    assert!(read(unknown.clone()).is_ok(), "what is not critical may be unknown");
    extension.set_criticality(true);
    unknown.custom_extensions = vec![extension];
    assert_eq!(read(unknown).unwrap_err(), Unfit::Critical);
    let mut constrained = authority_params("root", None);
    let permitted_subtrees = vec![GeneralSubtree::DnsName("example.com".into())];
    constrained.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
    assert_eq!(read(constrained).unwrap_err(), Unfit::NameConstraints);
    let mut twice = machine_params("host", 7);
    twice.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![3, 2, 7, 0x80])];
    assert_eq!(read(twice).unwrap_err(), Unfit::Extensions);
}

#[test]
fn names_are_read_and_the_first_of_a_kind_counts() {
    let mut wanted = params("host*");
    wanted
        .distinguished_name
        .push(DnType::OrganizationName, DnValue::PrintableString("Example".try_into().unwrap()));
    wanted.distinguished_name.push(DnType::CustomDnType(vec![1, 2, 3]), "x");
    wanted.distinguished_name.push(DnType::OrganizationalUnitName, "münchen, \"a\"+b");
    wanted.distinguished_name.push(DnType::LocalityName, DnValue::BmpString("日本".parse().unwrap()));
    wanted.subject_alt_names = vec![
        SanType::DnsName("a.example.com".try_into().unwrap()),
        SanType::DnsName("b.example.com".try_into().unwrap()),
        SanType::URI("spiffe://x/y".try_into().unwrap()),
        SanType::IpAddress("192.0.2.1".parse().unwrap()),
    ];
    let certificate = read(&Holder::root("root").issue(wanted));
    let found: Vec<_> = certificate.values(Field::Subject).collect();
    let expected =
        [("CN", "host*"), ("O", "Example"), ("1.2.3", "x"), ("OU", "münchen, \"a\"+b"), ("L", "日本")];
    assert_eq!(found, expected);
    assert_eq!(certificate.values(Field::Issuer).collect::<Vec<_>>(), [("CN", "root")]);
    let found: Vec<_> = certificate.values(Field::AlternativeName).collect();
    assert_eq!(found, [("DNS", "a.example.com"), ("URI", "spiffe://x/y")]);
    let shown = certificate.shown(Field::Subject);
    assert_eq!(shown, r#"CN=host*,O=Example,1.2.3=x,OU=münchen\, \"a\"\+b,L=日本"#);
}

#[test]
fn serial_numbers_have_twenty_bytes_at_most() {
    let with = |bytes: &[u8]| {
        let mut params = machine_params("host", 7);
        params.serial_number = Some(SerialNumber::from_slice(bytes));
        Certificate::from_der(&Holder::self_signed(params).der)
    };
    let longest = with(&[0xff; 20]).unwrap();
    assert_eq!(longest.serial(), [0xff; 20]);
    assert_eq!(longest.serial_hex(), "ff".repeat(20));
    assert_eq!(longest.serial_decimal(), "1461501637330902918203684832716283019655932542975");
    assert!(matches!(with(&[0xff; 21]), Err(Unfit::Serial | Unfit::Form)));
    assert_eq!(with(&[0]).unwrap_err(), Unfit::Serial);
    assert_eq!(with(&[1]).unwrap().serial_hex(), "01");
    // Negative: the sign's byte taken out of a certificate.
    let mut der = Holder::self_signed(machine_params("host", 0x80)).der;
    let at = der.windows(4).position(|four| four == [2, 2, 0, 0x80]).unwrap();
    der[at + 2] = 0xfe;
    assert_eq!(Certificate::from_der(&der).unwrap_err(), Unfit::Serial);
}

#[test]
fn only_strict_der_of_one_certificate_is_one() {
    let root = Holder::root("root");
    assert_eq!(blocks(&root.pem, "CERTIFICATE", 1).unwrap(), [&*root.der]);
    let der = root.der;
    for wrong in [
        vec![],
        der[..der.len() - 1].to_vec(),
        [&der[..], &[0]].concat(),
        [&der[..], &der[..]].concat(),
        // Of indefinite length, as BER has it.
        [&[0x30, 0x80][..], &der[4..], &[0, 0]].concat(),
        // A length with a byte too many.
        [&[0x30, 0x83, 0][..], &der[2..]].concat(),
        vec![0x30; 20_000],
    ] {
        assert_eq!(Certificate::from_der(&wrong).unwrap_err(), Unfit::Form, "{} bytes", wrong.len());
    }
}

#[test]
fn a_weak_digest_or_another_algorithm_is_refused_by_name() {
    let der = Holder::root("root").der;
    // ecdsa-with-SHA256 → another identifier of the same length, in both places.
    let sha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let with = |other: [u8; 8]| {
        let mut changed = der.clone();
        let places: Vec<_> = (0..der.len() - 8).filter(|at| der[*at..at + 8] == sha256).collect();
        assert_eq!(places.len(), 2);
        places.iter().for_each(|at| changed[*at..at + 8].copy_from_slice(&other));
        Certificate::from_der(&changed)
    };
    // ecdsa-with-SHA224 (RFC 5758), and a number that is nobody's.
    assert_eq!(with([0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1]).unwrap_err(), Unfit::WeakSignature);
    assert_eq!(with([0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 0x7f]).unwrap_err(), Unfit::WeakSignature);
    // In one place alone it is no certificate.
    let mut one = der.clone();
    let at = (0..der.len() - 8).find(|at| der[*at..at + 8] == sha256).unwrap();
    one[at + 7] = 3;
    assert_eq!(Certificate::from_der(&one).unwrap_err(), Unfit::Form);
}

#[test]
fn a_list_counts_for_what_its_issuer_issued_and_no_longer_needs_to_be_fresh() {
    let (root, other) = (Holder::root("root"), Holder::root("other"));
    let read_list = |pem: &str| Crl::from_der(&blocks(pem, "X509 CRL", 1).unwrap()[0]).unwrap();
    let list = read_list(&root.revoke(&[7, 0x80]));
    let anchors = [read(&other), read(&root)];
    assert_eq!(list.check_signature(&anchors), Ok(()));
    assert_eq!(list.check_signature(&anchors[..1]), Err(BadCrl::NotSigned));
    assert_eq!(list.check_signature(&[read(&Holder::root("root"))]), Err(BadCrl::NotSigned));
    assert!(list.revokes(&read(&root.machine("a", 7))) && list.revokes(&read(&root.machine("a", 0x80))));
    assert!(!list.revokes(&read(&root.machine("a", 8))));
    assert!(!list.revokes(&read(&other.machine("a", 7))), "another authority's number");
    assert_eq!(list.next_update(), Some(1_769_904_000));
    assert!(matches!(Crl::from_der(&root.der), Err(BadCrl::Form)));
    assert!(!read_list(&root.revoke(&[])).revokes(&read(&root.machine("a", 7))));
}

proptest! {
    #[test]
    fn no_changed_byte_makes_another_certificate_that_is_trusted(at in 0..10_000usize, bit in 0..8u8) {
        let root = Holder::root("root");
        let host = root.machine("host", 7);
        let mut der = host.der.clone();
        let at = at % der.len();
        der[at] ^= 1 << bit;
        if let Ok(changed) = Certificate::from_der(&der) {
            // Of an ECDSA signature, and of nothing else, there may be another that is good.
            prop_assert!(path(&changed, &[], &[read(&root)], now()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0..600usize) {
        let _ = (Certificate::from_der(&bytes).is_ok(), Crl::from_der(&bytes).is_ok());
        let _ = blocks(&String::from_utf8_lossy(&bytes), "CERTIFICATE", 3);
        let mut der = Holder::root("root").der;
        der.truncate(cut.min(der.len()));
        der.extend(bytes);
        let _ = Certificate::from_der(&der);
    }
}
