//! Programs that the black-box tests take from the machine, in its own versions.
//!
//! Answers for: that they are there, installed with apt-get where there is one. Refuses to know: what the tests do with them.

use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::{available, capture, run, variable};

/// Makes sure of `xmlsec1`, with which the SAML providers of the tests sign and encrypt.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn xmlsec1() -> anyhow::Result<()> {
    if available("xmlsec1", "--version") {
        return Ok(());
    }
    install(&["xmlsec1"], "the conformance tests of SAML need xmlsec1 1.2.37 or newer, in PATH")
}

/// Makes sure of Chromium, which visits the pages for people. `DAYPASS_CHROMIUM` is the path of another one.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn chromium() -> anyhow::Result<()> {
    const WANTED: &str =
        "the conformance tests of the pages need Chromium, in PATH or where DAYPASS_CHROMIUM says";
    if variable("DAYPASS_CHROMIUM").is_some() || available("chromium", "--version") {
        return Ok(());
    }
    install(&["chromium"], WANTED)
}

/// Makes sure of Ruby with version 1 of the AWS SDK, which runs the program of AWS's guide of 2012. No gem is installed: the
/// newest of that version is Debian's.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn ruby() -> anyhow::Result<()> {
    const WANTED: &str =
        "the conformance tests of examples/console-link need ruby, in PATH, with aws-sdk 1.67";
    let there = Command::new("ruby").args(["-e", "require 'aws-sdk'; AWS::STS"]).output();
    if there.is_ok_and(|done| done.status.success()) {
        return Ok(());
    }
    install(&["ruby", "ruby-aws-sdk"], WANTED)
}

/// Makes sure of OpenLDAP: the directory of `examples/identity-broker`, and the programs with which it asks one. The tests run slapd
/// themselves; the service that comes with Debian's package has no part in them.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn slapd() -> anyhow::Result<()> {
    const WANTED: &str = "the conformance tests of examples/identity-broker need slapd 2.5 or newer and ldapsearch, in PATH or /usr/sbin";
    let directory = available("slapd", "-VV") || available("/usr/sbin/slapd", "-VV");
    if directory && available("ldapsearch", "-VV") {
        return Ok(());
    }
    install(&["slapd", "ldap-utils"], WANTED)
}

/// Installs packages of Debian, on a machine that has them; on another it says what is `wanted`.
///
/// # Errors
/// When there is no apt-get, or it does not succeed.
pub fn install(packages: &[&str], wanted: &'static str) -> anyhow::Result<()> {
    if !available("apt-get", "--version") {
        bail!("{wanted}");
    }
    println!("installing {} with apt-get", packages.join(" and "));
    apt_get(&["update"]).context(wanted)?;
    apt_get(&[&["install", "--no-install-recommends"][..], packages].concat()).context(wanted)
}

/// As root, or as whom sudo makes root without asking. Packages that would ask something at the terminal (slapd: for a password) do not.
fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    let user = capture(Command::new("id").arg("-u"))?;
    let mut command = if user.stdout.trim() == "0" {
        Command::new("env")
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", "env"]);
        command
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    run(command.args(["--yes", "--quiet"]).args(arguments))
}
