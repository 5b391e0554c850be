package drf_test

import (
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestGate asks for what an API answers where an application is behind it.
func TestGate(t *testing.T) {
	apitest.RunGate(t, apitest.MustLoad(t, "ocd-users"), sqlitetest.MustOpen(t), apitest.Gate{
		Missing:    `401 {"detail":"Authentication credentials were not provided."}`,
		Bad:        `401 {"detail":"Invalid token."}`,
		BadGateway: `502 {"detail":"Service temporarily unavailable, try again later."}`,
		TooLarge:   `413 {"detail":"Request body is too large."}`,
		Malformed:  "400 \n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Bad Request (400)</title>\n</head>\n<body>\n  <h1>Bad Request (400)</h1><p></p>\n</body>\n</html>\n",
		Unknown:    "404 \n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n",
	})
	apitest.RunGate(t, apitest.MustLoad(t, "snippit"), sqlitetest.MustOpen(t), apitest.Gate{
		Missing:    `401 {"status_code": 401, "detail": "Authentication credentials were not provided."}`,
		Bad:        `401 {"status_code": 401, "detail": "Invalid token"}`,
		BadGateway: `502 {"status_code": 502, "detail": "Service temporarily unavailable, try again later."}`,
		TooLarge:   `413 {"status_code": 413, "detail": "Request body is too large."}`,
		Malformed:  "400 <h1>Bad Request (400)</h1>",
		Unknown:    "404 <h1>Not Found</h1><p>The requested resource was not found on this server.</p>",
	})
}
