#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nightjar_fuzz::inputs::webhook(data));
