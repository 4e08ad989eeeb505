//! The picture that a phone's authenticator reads a new device from: a QR code of its `otpauth` URL, as PNG.
//!
//! Source: "VirtualMFADevice" in the IAM API Reference; the key URI format of Google Authenticator.

use data_encoding::BASE64;
use daypass_model::{AccountId, Secret};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::actions::iam::shape::encoded;
use crate::error::Error;

/// Pixels of a module.
const SCALE: u32 = 4;
/// Modules of white around the code (ISO/IEC 18004 section 9.1).
const QUIET_ZONE: u32 = 4;

/// The picture of a device with this seed (in base32), in base64.
pub(super) fn of_device(account: AccountId, name: &str, seed: &Secret) -> Result<Secret, Error> {
    let url = Secret::new(url(account, name, seed));
    let picture = png(url.expose_str());
    picture
        .map(|png| Secret::new(BASE64.encode(png.expose())))
        .ok_or_else(|| Error::internal("no QR code was made"))
}

/// `otpauth://totp/<device>@<account>?secret=<seed>&issuer=daypass`
fn url(account: AccountId, name: &str, seed: &Secret) -> String {
    format!("otpauth://totp/{}@{account}?secret={}&issuer=daypass", encoded(name), seed.expose_str())
}

fn png(text: &str) -> Option<Secret> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = (u32::try_from(code.size()).ok()? + 2 * QUIET_ZONE) * SCALE;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let module = |pixel: u32| i32::try_from(pixel / SCALE).unwrap_or_default() - QUIET_ZONE.cast_signed();
    let rows = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let pixels = rows.map(|(x, y)| if code.get_module(module(x), module(y)) { 0 } else { u8::MAX });
    let pixels = Secret::new(pixels.collect::<Vec<u8>>());
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels.expose()).ok()?;
    writer.finish().ok()?;
    Some(Secret::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another's decoder reads in the picture.
    fn read(picture: &Secret) -> String {
        let bytes = BASE64.decode(picture.expose()).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let (width, height) = (info.width as usize, info.height as usize);
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn the_picture_shows_the_url_of_the_device() {
        let seed = Secret::new("GEZDGNBVGY3TQOJQ".repeat(4));
        let account: AccountId = "111122223333".parse().unwrap();
        let expected = format!(
            "otpauth://totp/Bob%2Bphone%401%3D%2C@111122223333?secret={}&issuer=daypass",
            "GEZDGNBVGY3TQOJQ".repeat(4)
        );
        assert_eq!(read(&of_device(account, "Bob+phone@1=,", &seed).unwrap()), expected);
        // The longest name that there is.
        read(&of_device(account, &"@".repeat(224), &seed).unwrap());
    }
}
