//! The attribute `#[end_to_end::test]`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemFn, parse_macro_input};

/// Makes an asynchronous function a test with a deadline: `end_to_end::deadline::run` runs it.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        return quote! { compile_error!("#[end_to_end::test] takes no arguments"); }.into();
    }
    let ItemFn {
        attrs,
        vis,
        mut sig,
        block,
    } = parse_macro_input!(item as ItemFn);
    if sig.asyncness.take().is_none() {
        return syn::Error::new_spanned(sig, "#[end_to_end::test] is for `async fn`")
            .into_compile_error()
            .into();
    }
    let name = sig.ident.to_string();
    let output = &sig.output;
    quote! {
        #[::core::prelude::v1::test]
        #(#attrs)*
        #vis #sig {
            async fn body() #output #block
            ::end_to_end::deadline::run(#name, body)
        }
    }
    .into()
}
