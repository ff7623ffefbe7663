//! The whole way, from volumes to a scored scan and to responses.
