//! Names with several attributes in one level, in the only order that DER has for them.

use data_encoding::BASE64;
use daypass_authn::x509::{Certificate, Field, Unfit};
use rcgen::SanType;

use super::machine::{Holder, machine_params};

/// Subject, issuer and a directory name of `CN=alpha+OU=fleet`, by openssl 3.0.
const BY_OPENSSL: &str = "\
    MIIBeTCCAR+gAwIBAgIBBzAKBggqhkjOPQQDAjAeMRwwDAYDVQQDDAVhbHBoYTAMBgNVBAsMBWZsZWV0MB4XDTI2MTEyODEy\
    NDc1MFoXDTQ2MTEyMzEyNDc1MFowHjEcMAwGA1UEAwwFYWxwaGEwDAYDVQQLDAVmbGVldDBZMBMGByqGSM49AgEGCCqGSM49\
    AwEHA0IABAl/ZFYoe/Z7yv7ypqWJpU2mL+VuTwCMz6JRRLeRkTcVe5CfgPTJWHf097A/9e5UNICyPZYOIuin476TP7x+nKSj\
    TjBMMCsGA1UdEQQkMCKkIDAeMRwwDAYDVQQDDAVhbHBoYTAMBgNVBAsMBWZsZWV0MB0GA1UdDgQWBBRk3yxnSsMgebDppdnX\
    zYd+jsULvjAKBggqhkjOPQQDAgNIADBFAiEA1Dvm4hdBSgVPBLXN9oRqnLE195yxAC8byNQJm2hUViICIHiZQP/PX/GWxQEd\
    Mxm4dPoVYfKU/5VndgVgAmKi1t9Z";
/// `SEQUENCE { 2.5.4.3, UTF8String "alpha" }`
const CN: &[u8] = b"\x30\x0c\x06\x03\x55\x04\x03\x0c\x05alpha";
/// `SEQUENCE { 2.5.4.11, UTF8String "fleet" }`
const OU: &[u8] = b"\x30\x0c\x06\x03\x55\x04\x0b\x0c\x05fleet";

/// What is read where `changed` stands in one of the three places, whose bytes are as many.
fn changed(place: usize, changed: &[u8]) -> Result<Certificate, Unfit> {
    let mut der = BASE64.decode(BY_OPENSSL.as_bytes()).unwrap();
    let both = [CN, OU].concat();
    let places: Vec<_> = (0..der.len() - both.len()).filter(|at| der[*at..].starts_with(&both)).collect();
    assert_eq!((places.len(), changed.len()), (3, both.len()));
    der[places[place]..][..both.len()].copy_from_slice(changed);
    Certificate::from_der(&der)
}

#[test]
fn one_level_may_have_attributes_of_several_types() {
    let certificate = changed(0, &[CN, OU].concat()).unwrap();
    let both = [("CN", "alpha"), ("OU", "fleet")];
    for field in [Field::Subject, Field::Issuer] {
        assert_eq!(certificate.values(field).collect::<Vec<_>>(), both);
    }
    let values: Vec<_> = certificate.values(Field::AlternativeName).collect();
    assert_eq!(values, [("Name/CN", "alpha"), ("Name/OU", "fleet")]);
}

#[test]
fn an_order_that_is_not_ders_is_refused_and_not_mended() {
    for place in 0..3 {
        assert_eq!(changed(place, &[OU, CN].concat()).unwrap_err(), Unfit::Names, "{place}");
    }
}

#[test]
fn one_level_has_no_two_attributes_of_one_type() {
    // In order: alpha, fleet.
    let twin = [b"\x30\x0c\x06\x03\x55\x04\x0b\x0c\x05alpha", OU].concat();
    for place in 0..3 {
        assert_eq!(changed(place, &twin).unwrap_err(), Unfit::Names, "{place}");
    }
}

/// Whatever names come first, none after them is left unread: somebody may be denied by it.
#[test]
fn other_names_are_all_read_or_the_certificate_is_refused() {
    let of = |addresses: u8| {
        let mut params = machine_params("host", 7);
        let address = |n| SanType::IpAddress(std::net::Ipv4Addr::new(10, 0, 0, n).into());
        params.subject_alt_names = (0..addresses).map(address).collect();
        params.subject_alt_names.push(SanType::URI("spiffe://prod/untrusted/x".try_into().unwrap()));
        Certificate::from_der(&Holder::root("CA").issue(params).der)
    };
    for addresses in [0, 63] {
        let certificate = of(addresses).unwrap();
        let values: Vec<_> = certificate.values(Field::AlternativeName).collect();
        assert_eq!(values, [("URI", "spiffe://prod/untrusted/x")], "{addresses}");
    }
    for addresses in [64, 200] {
        assert_eq!(of(addresses).unwrap_err(), Unfit::Names, "{addresses}");
    }
}
