//! The server, asked without a socket.

mod api;
mod editions;
mod figures;
mod openapi;
mod pages;
mod problems;
mod push;
mod serving;
mod test_app;
