//! The dispatch Worker in front of real isolates.

mod routing_table;
