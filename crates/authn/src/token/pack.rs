//! Compression of what callers pass (session policies, tags), block by block.
//!
//! INVARIANT (separate-blocks): bytes that one party chose are never compressed together with bytes of
//! another, so a token's length tells nobody about what somebody else put in (the lesson of CRIME).
//! A block inflates to at most [`INFLATED_MAX`] bytes.
//!
//! ```text
//! block = 0 | length | bytes                      stored
//!       | 1 | inflated length | length | bytes    zstd, dictionary v1, frame without its magic number
//! ```

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

use super::wire::{Malformed, Reader, put_bytes, put_varint};

/// Most bytes that one block inflates to.
pub(super) const INFLATED_MAX: usize = 64 * 1024;

/// Trained on synthetic policies and tags; `tests/it/dictionary.rs` makes it again. Part of token format 1:
/// never change this file, add a `dictionary-v2.bin` and a method number.
static DICTIONARY_V1: &[u8] = include_bytes!("dictionary-v1.bin");
static ENCODER_V1: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_V1, LEVEL));
static DECODER_V1: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_V1));
const LEVEL: i32 = 3;

const STORED: u8 = 0;
const ZSTD_V1: u8 = 1;
/// Every zstd frame begins so (RFC 8878 §3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

thread_local! {
    // Contexts are costly to make and hold no data between calls.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Append `plain` as one block, compressed if that makes it shorter.
pub(super) fn put_block(out: &mut Vec<u8>, plain: &[u8], may_compress: bool) {
    let packed = if may_compress && plain.len() <= INFLATED_MAX { compress(plain) } else { None };
    match packed.filter(|packed| packed.len() + 2 < plain.len()) {
        Some(packed) => {
            out.push(ZSTD_V1);
            put_varint(out, plain.len() as u64);
            put_bytes(out, &packed);
        }
        None => {
            out.push(STORED);
            put_bytes(out, plain);
        }
    }
}

/// Read one block and inflate it; `budget` is what may still be inflated, and is used up.
pub(super) fn take_block(reader: &mut Reader<'_>, budget: &mut usize) -> Result<Vec<u8>, Malformed> {
    match reader.byte()? {
        STORED => Ok(reader.bytes()?.to_vec()),
        ZSTD_V1 => {
            let inflated = usize::try_from(reader.varint()?).map_err(|_| Malformed)?;
            *budget = budget.checked_sub(inflated).ok_or(Malformed)?;
            let packed = reader.bytes()?;
            let plain = decompress(packed, inflated).ok_or(Malformed)?;
            if plain.len() == inflated { Ok(plain) } else { Err(Malformed) }
        }
        _ => Err(Malformed),
    }
}

fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        if slot.is_none() {
            let mut compressor = Compressor::with_prepared_dictionary(&ENCODER_V1).ok()?;
            // The block's header says both; eight bytes saved.
            compressor.set_parameter(CParameter::ContentSizeFlag(false)).ok()?;
            compressor.set_parameter(CParameter::DictIdFlag(false)).ok()?;
            *slot = Some(compressor);
        }
        let frame = slot.as_mut()?.compress(plain).ok()?;
        frame.strip_prefix(&MAGIC).map(<[u8]>::to_vec)
    })
}

fn decompress(packed: &[u8], inflated: usize) -> Option<Vec<u8>> {
    let frame = [&MAGIC, packed].concat();
    DECOMPRESSOR.with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        if slot.is_none() {
            *slot = Some(Decompressor::with_prepared_dictionary(&DECODER_V1).ok()?);
        }
        slot.as_mut()?.decompress(&frame, inflated).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::lake/warehouse/orders/*"}]}"#;

    fn round_trip(plain: &[u8], may_compress: bool) -> (usize, Vec<u8>) {
        let mut out = Vec::new();
        put_block(&mut out, plain, may_compress);
        let mut budget = INFLATED_MAX;
        let back = take_block(&mut Reader::new(&out), &mut budget).unwrap();
        (out.len(), back)
    }

    #[test]
    fn blocks_come_back_and_policies_shrink_to_less_than_half() {
        let (size, back) = round_trip(POLICY.as_bytes(), true);
        assert_eq!(back, POLICY.as_bytes());
        assert!(size < POLICY.len() / 2, "{size} of {}", POLICY.len());
        assert_eq!(round_trip(b"", true), (2, Vec::new()));
        let (stored, _) = round_trip(POLICY.as_bytes(), false);
        assert!(stored > POLICY.len());
    }

    #[test]
    fn a_long_block_shrinks_too() {
        let long = POLICY.repeat(60_000 / POLICY.len());
        let (size, back) = round_trip(long.as_bytes(), true);
        assert_eq!(back, long.as_bytes());
        assert!(size < 2000, "{size}");
    }

    #[test]
    fn a_block_that_would_inflate_too_far_is_refused() {
        let zeroes = vec![0; INFLATED_MAX];
        let mut out = Vec::new();
        put_block(&mut out, &zeroes, true);
        assert!(out.len() < 100);
        assert!(take_block(&mut Reader::new(&out), &mut INFLATED_MAX.clone()).is_ok());
        assert!(take_block(&mut Reader::new(&out), &mut (INFLATED_MAX - 1)).is_err());
        // A declared length that is a lie, either way.
        for lie in [1u64, 65_535] {
            let mut forged = vec![ZSTD_V1];
            put_varint(&mut forged, lie);
            put_bytes(&mut forged, out.get(5..).unwrap());
            assert!(take_block(&mut Reader::new(&forged), &mut INFLATED_MAX.clone()).is_err());
        }
    }

    #[test]
    fn the_dictionary_is_the_one_of_format_1() {
        use sha2::Digest as _;
        let hash = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(DICTIONARY_V1));
        assert_eq!(hash, "6bc756068c9faf1f2a93927fe9b5faece73e44d2654036dd04afa873d7fc036e");
        assert!(DICTIONARY_V1.len() <= 8192);
    }
}
