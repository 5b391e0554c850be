package config

import (
	"testing"
)

func TestMaskDSN(t *testing.T) {
	for _, test := range []struct{ dsn, want string }{
		{"sqlite:users.db", "sqlite:users.db"},
		{"django+sqlite:a://b?c", "django+sqlite:a://b?c"},
		{"postgres://ann@db/auth", "postgres://ann@db/auth"},
		{"postgres://ann:S3cret@db/auth?pool_size=7", "postgres://ann:***@db/auth?pool_size=7"},
		{"postgresql://ann:S3cr@S3cret:x@a:1,b:2/auth", "postgresql://ann:***@a:1,b:2/auth"},
		{"django+postgres://ann:S3cret@db/auth", "django+postgres://ann:***@db/auth"},
		{"postgres://ann@db/auth?PASSWORD=S3cret&wait=2s", "postgres://ann@db/auth?PASSWORD=***&wait=2s"},
		{"postgres://db?p%61ssword=S3cret", "postgres://db?p%61ssword=***"},
		{"postgres://db/auth?sslmode=disable&sslpassword=S3cret", "postgres://db/auth?sslmode=disable&sslpassword=***"},
		{"postgres://db/auth?pasword=S3cret&wait=2s&Wait=S3cret", "postgres://db/auth?pasword=***&wait=2s&Wait=***"},
		{"postgres://db/auth?passfile=/etc/pgpass", "postgres://db/auth?passfile=/etc/pgpass"},
		{"postgres://db/auth?options=-c%20a.password%3DS3cret", "postgres://db/auth?options=***"},
		{"postgres://db/auth?options=-c%20app.token%3DS3cret&wait=2s", "postgres://db/auth?options=***&wait=2s"},
		{"postgres://db/auth?application_name=password%3DS3cret", "postgres://db/auth?application_name=***"},
		{"host=db password=S3cret dbname=auth", "***"},
		{"postgres:ann:S3cret@db/auth", "***"},
		{"Postgres://ann:S3cret@db/auth", "***"},
		{"postgres://ann:Pa@ss/wo-S3cret@db/auth", "***"},
		{"postgres://ann:12/S3cret@db/auth", "***"},
		{"postgres://ann:12?S3cret@db/auth", "***"},
		{"postgres://ann:12#S3cret@db/auth", "***"},
		{"postgres://ann:S3cret%zz@db/auth", "***"},
		{"postgres://db/auth?password=S3;cret", "***"},
		{"mysql://ann:S3cret@db/auth", "***"},
		{"django+mysql://ann:S3cret@db/auth", "***"},
		{"sqlite://S3cret", "***"},
		{"S3cret", "***"},
		{"", "***"},
	} {
		if got := maskDSN(test.dsn); got != test.want {
			t.Errorf("%s is shown as %s, want %s", test.dsn, got, test.want)
		}
	}
}
