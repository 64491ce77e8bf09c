//! What an identity may do: the policy document and its decisions.
