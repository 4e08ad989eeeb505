//! What a form brings, and whether a page of ours sent it.

use daypass_authn::browser::BrowserSecret;

use crate::error::Error;
use crate::params::Params;
use crate::request::Request;

/// The parameters of a request, all of which are known.
///
/// # Errors
/// There is another, which could be what asks for something else.
pub(super) fn known<'r>(request: &'r Request, names: &[&str]) -> Result<&'r Params, Error> {
    let form = request.params.as_ref().map_err(Clone::clone)?;
    match form.names().find(|name| !names.contains(name)) {
        Some(_) => Err(Error::validation("The request has a parameter that is not known here.")),
        None => Ok(form),
    }
}

/// What is in a form of ours, which has these fields beside its code: one of this name that goes with this secret, which only
/// our pages can make (OWASP, "Cross-Site Request Forgery Prevention").
///
/// Browsers say themselves whether another site sent it (Fetch Metadata Request Headers), also where a sibling's cookie took the
/// place of ours. All of it is in the body: what stands in an address, a link can hold.
///
/// # Errors
/// It is not one of our pages that sent it, or not the whole of it is known.
pub(super) fn sent<'r>(
    request: &'r Request,
    secret: &BrowserSecret,
    form: &str,
    fields: &[&str],
) -> Result<&'r Params, Error> {
    let params = known(request, &[&["code"], fields].concat())?;
    if !request.http.query.is_empty() {
        return Err(Error::validation("The address of a form has no parameters."));
    }
    let code = params.text("code").unwrap_or_default();
    if !is_from_here(request) || !secret.is_form_code(form, code) {
        return Err(Error::access_denied(
            "The form is not one of this session's pages. Go back to the page, load it again, and try once more.",
        ));
    }
    Ok(params)
}

/// No browser that tells says that another site sent it.
fn is_from_here(request: &Request) -> bool {
    let mut sites = request.http.headers.iter().filter(|(name, _)| name == "sec-fetch-site");
    sites.all(|(_, site)| matches!(&site[..], b"same-origin" | b"none"))
}
