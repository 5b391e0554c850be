package plainjson_test

import (
	"testing"

	"github.com/authcompat/authcompat/dialects/internal/apitest"
	"github.com/authcompat/authcompat/store/sqlite/sqlitetest"
)

// TestGate asks for what an API answers where an application is behind it.
func TestGate(t *testing.T) {
	apitest.RunGate(t, apitest.MustLoad(t, "authtokens"), sqlitetest.MustOpen(t), apitest.Gate{
		Missing:    `401 {"error": "Invalid token"}`,
		Bad:        `401 {"error": "Invalid token"}`,
		BadGateway: `502 {"error": "Service temporarily unavailable, try again later"}`,
		TooLarge:   `413 {"error": "Request body is too large"}`,
		Malformed:  `400 {"error": "Invalid Data: No JSON object could be decoded"}`,
		Unknown:    `404 {"error": "Not found"}`,
	})
}
