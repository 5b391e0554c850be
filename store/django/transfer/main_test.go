package transfer_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/sealing"
	coretransfer "github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/mariadbtest"
	"github.com/authcompat/authcompat/store/django/tables"
	"github.com/authcompat/authcompat/store/django/transfer"
	"github.com/authcompat/authcompat/store/postgres"
	"github.com/authcompat/authcompat/store/postgres/postgrestest"
	"github.com/authcompat/authcompat/store/sqlite"
)

// With these variables the test binary runs an import in a process of its own.
const (
	sourceVariable = "AUTHCOMPAT_TEST_IMPORT_SOURCE"
	targetVariable = "AUTHCOMPAT_TEST_IMPORT_TARGET"
)

func TestMain(m *testing.M) {
	if source := os.Getenv(sourceVariable); source != "" {
		if err := importAlone(context.Background(), source, os.Getenv(targetVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := postgrestest.Main(m)
	mariadbtest.Close()
	os.Exit(code)
}

// base is a store that imports and exports.
type base interface {
	core.Store
	coretransfer.Importer
	coretransfer.Exporter
}

// openBase opens a PostgreSQL URL, or the path of a SQLite store.
func openBase(ctx context.Context, dsn string) (base, error) {
	if len(dsn) > 0 && dsn[0] == '/' {
		return sqlite.Open(ctx, dsn, sqlite.Options{})
	}
	return postgres.Open(ctx, dsn)
}

// importAlone runs an import and prints a line for each batch.
func importAlone(ctx context.Context, source, target string) error {
	from, err := tables.Open(ctx, tables.Mapping{}, source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := openBase(ctx, target)
	if err != nil {
		return err
	}
	defer to.Close()
	sealer, err := sealing.NewSealer(make([]byte, sealing.KeySize))
	if err != nil {
		return err
	}
	_, err = transfer.Import(ctx, from, to, transfer.Options{
		Policy: policy, Sealer: sealer, Random: fixed{}, Zone: time.UTC, Clock: time.Now,
		Progress: func(table string, read, of int) { fmt.Println(table, read, of) },
	})
	return err
}

// fixed replaces randomness, so that two imports of one source are equal to the byte.
type fixed struct{}

func (fixed) Read(p []byte) (int, error) { clear(p); return len(p), nil }
