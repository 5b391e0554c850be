package django

import "github.com/authcompat/authcompat/profiles"

// Page is an error page of Django in a project that has no templates for them
// (django/views/defaults.py): a title and, for 404, a sentence.
func Page(look profiles.Page, title, sentence string) []byte {
	heading := "<h1>" + title + "</h1>"
	if look == profiles.PageHTML4 {
		if sentence != "" {
			heading += "<p>" + sentence + "</p>"
		}
		return []byte(heading)
	}
	return []byte("\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>" + title + "</title>\n</head>\n<body>\n  " +
		heading + "<p>" + sentence + "</p>\n</body>\n</html>\n")
}

// NotFoundPage is Django's answer to an unknown path.
func NotFoundPage(look profiles.Page) []byte {
	return Page(look, "Not Found", "The requested resource was not found on this server.")
}

// BadRequestPage is Django's answer to a SuspiciousOperation.
func BadRequestPage(look profiles.Page) []byte {
	return Page(look, "Bad Request (400)", "")
}
