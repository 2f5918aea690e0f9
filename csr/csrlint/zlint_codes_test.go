package csrlint

// zlintCodes are the lints of zlint, with the codes of Lint of which one says the same
// of a CSR.
var zlintCodes = map[string]string{
	"e_algorithm_identifier_improper_encoding":      "key-curve key-type",
	"e_dnsname_bad_character_in_label":              "name-malformed",
	"e_dnsname_contains_bare_iana_suffix":           "name-suffix",
	"e_dnsname_empty_label":                         "name-malformed name-dot",
	"e_dnsname_label_too_long":                      "name-malformed",
	"e_dnsname_not_valid_tld":                       "name-internal name-dot name-ip name-malformed",
	"e_dnsname_wildcard_only_in_left_label":         "name-malformed",
	"e_duplicate_subject_attribs":                   "subject-repeated",
	"e_ec_improper_curves":                          "key-curve",
	"e_ext_cannot_be_empty_sequence":                "san-missing",
	"e_ext_san_contains_reserved_ip":                "san-ip",
	"e_ext_san_dns_name_too_long":                   "name-malformed",
	"e_ext_san_dns_not_ia5_string":                  "name-malformed",
	"e_ext_san_empty_name":                          "name-malformed",
	"e_ext_san_missing":                             "san-missing",
	"e_ext_san_no_entries":                          "san-missing",
	"e_ext_san_rfc822_name_present":                 "san-kind",
	"e_ext_san_uniform_resource_identifier_present": "san-kind",
	"e_invalid_subject_rdn_order":                   "subject-order",
	"e_mp_ecdsa_pub_key_encoding_correct":           "key-curve",
	"e_mp_modulus_must_be_2048_bits_or_more":        "key-size",
	"e_mp_modulus_must_be_divisible_by_8":           "key-size",
	"e_organizational_unit_name_prohibited":         "subject-ou", // the service's default
	"e_rfc_dnsname_empty_label":                     "name-malformed name-dot",
	"e_rfc_dnsname_label_too_long":                  "name-malformed",
	"e_rsa_fermat_factorization":                    "key-modulus",
	"e_rsa_mod_less_than_2048_bits":                 "key-size",
	"e_rsa_public_exponent_not_odd":                 "key-exponent",
	"e_san_dns_name_includes_null_char":             "name-malformed",
	"e_san_dns_name_starts_with_period":             "name-malformed",
	"e_san_wildcard_not_first":                      "name-malformed",
	"e_subj_country_not_uppercase":                  "subject-country",
	"e_subj_email_not_in_san":                       "subject-email",
	"e_subject_common_name_max_length":              "subject-length",
	"e_subject_common_name_not_exactly_from_san":    "cn-not-in-san san-missing",
	"e_subject_contains_noninformational_value":     "subject-empty subject-placeholder",
	"e_subject_dn_country_not_printable_string":     "subject-type",
	"e_subject_dn_not_printable_characters":         "subject-characters subject-type",
	"e_subject_locality_name_max_length":            "subject-length",
	"e_subject_organization_name_max_length":        "subject-length",
	"e_subject_rdns_correct_encoding":               "subject-type",
	"e_subject_state_name_max_length":               "subject-length",
	"e_underscore_not_permissible_in_dnsname":       "name-underscore",
	"n_dnsname_wildcard_left_of_public_suffix":      "name-wildcard",
	"n_multiple_subject_rdn":                        "subject-multivalue",
	"n_san_dns_name_duplicate":                      "san-repeated",
	"n_san_iana_pub_suffix_empty":                   "name-suffix name-internal name-dot",
	"w_dnsname_underscore_in_trd":                   "name-underscore",
	"w_rfc_dnsname_underscore_in_trd":               "name-underscore",
	"w_subject_given_name_recommended_max_length":   "subject-length",
	"w_subject_surname_recommended_max_length":      "subject-length",
	"w_rsa_mod_factors_smaller_than_752":            "key-modulus key-size",
	"w_rsa_mod_not_odd":                             "key-modulus",
	"w_rsa_public_exponent_not_in_range":            "key-exponent",
	"w_subject_dn_leading_whitespace":               "subject-blank",
	"w_subject_dn_trailing_whitespace":              "subject-blank",
}

// zlintAside are the lints of zlint that Lint does not have, with the reason.
var zlintAside = map[string]string{
	"e_ext_san_not_critical_without_subject":                       "the CA sets the flag, a CSR's counts for nothing",
	"e_sub_cert_given_name_surname_contains_correct_policy":        "is about the policies, which the CA sets",
	"e_state_or_province_name_must_not_contain_control_characters": "takes punctuation in a place's name for a mistake; the battery has such on purpose",
	"e_subject_country_not_iso":                                    "countries are not looked up in a list; the battery has ZZ on purpose",
	"n_suspicious_chars_in_address":                                "takes punctuation in a place's name for a mistake; the battery has such on purpose",
	"w_ext_subject_key_identifier_missing_sub_cert":                "is in the certificate alone, and the BRs say the opposite",
	"w_subject_common_name_included":                               "the service's CSR has a CommonName; a CA copies it or leaves it out",
}

// zlintUnread are samples that cannot be put into a certificate, or that zlint
// cannot read.
var zlintUnread = []string{
	"X25519", "unknown key", "invalid UTF-8", "IA5String with é", "PrintableString with @",
}
