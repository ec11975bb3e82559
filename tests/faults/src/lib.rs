//! A package of tests alone, so that the runtime has its fault points where these are built, and only there.
