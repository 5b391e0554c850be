package django

import "github.com/authcompat/authcompat/profiles"

// Page is one of Django's error pages without a template of the project's own
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

// NotFoundPage is what an unknown path answers.
func NotFoundPage(look profiles.Page) []byte {
	return Page(look, "Not Found", "The requested resource was not found on this server.")
}

// BadRequestPage is what a request answers that Django finds suspicious.
func BadRequestPage(look profiles.Page) []byte {
	return Page(look, "Bad Request (400)", "")
}
