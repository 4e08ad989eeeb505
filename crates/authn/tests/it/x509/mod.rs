//! Certificates: which lead to a trust anchor, and what a signature by their key proves.

mod keys;
mod levels;
mod machine;
mod paths;
mod signatures;
