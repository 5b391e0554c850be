package profiles

// readErrors reads what failures look like over what into has. It gives the map that it
// read.
func readErrors(v value, f Family, into *Errors) *mapReader {
	m := v.mapping()
	if f.oneOf(FormJSON) {
		optional(m, "status", &into.Status, integer(200, 599))
	} else {
		m.forbid("status", "is of family %s alone", FormJSON)
	}
	if f.oneOf(FormJSON, PlainJSON) {
		optional(m, "body", &into.Body, failure(f).template)
	} else {
		m.forbid("body", "is of families %s and %s; the failures of family %s have the shape of detail", FormJSON, PlainJSON, f)
	}
	if f.oneOf(DRF, FormJSON) {
		detail := place{name: "the detail of errors", values: []ValueName{ErrorMessage, ErrorStatus}}
		optional(m, "detail", &into.Detail, detail.template)
	} else {
		m.forbid("detail", "is of families %s and %s; the failures of family %s have the shape of body", DRF, FormJSON, f)
	}
	m.done()
	return m
}

// failure gives the place of a failure's body, with what it can show: the errors of a
// form, or the one message of a plain view.
func failure(f Family) place {
	at := place{name: "the body of errors"}
	if f.oneOf(PlainJSON) {
		at.values = append(at.values, ErrorMessage, ErrorStatus)
	}
	if f.oneOf(FormJSON) {
		at.values = append(at.values, FieldErrors)
	}
	return at
}
