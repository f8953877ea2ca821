//! The server, asked without a socket.

mod api;
mod editions;
mod openapi;
mod pages;
mod problems;
mod push;
mod serving;
mod test_app;
