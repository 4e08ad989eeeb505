//! Stories of signed calls, through every step of the pipeline to the rendered answer.
#![no_main]

use daypass_fuzz::House;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|story: &[u8]| {
    House::new().tell(story);
});
