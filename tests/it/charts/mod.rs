//! Charts as files: golden drawings, text inside the frame, pixels.

mod drawings;
mod layout;
mod samples;
