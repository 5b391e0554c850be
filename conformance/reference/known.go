package reference

import (
	"bytes"
	_ "embed"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance/differential"
)

//go:embed known.yaml
var knownFile []byte

// Known are the known differences from reference servers.
type Known struct {
	Exchanges []KnownExchange
	Random    differential.Known
}

// A KnownExchange is an exchange that a reference server answers otherwise than the file says.
type KnownExchange struct {
	Profile  string `yaml:"profile"`
	Exchange string `yaml:"exchange"`
	Reason   string `yaml:"reason"`
}

// ReadKnown returns the list that known.yaml holds.
func ReadKnown() (Known, error) {
	var file struct {
		Exchanges []KnownExchange `yaml:"exchanges"`
		Random    yaml.Node       `yaml:"random"`
	}
	d := yaml.NewDecoder(bytes.NewReader(knownFile))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return Known{}, fmt.Errorf("known.yaml: %w", err)
	}
	random, err := yaml.Marshal(&file.Random)
	if err != nil {
		return Known{}, fmt.Errorf("known.yaml: %w", err)
	}
	known := Known{Exchanges: file.Exchanges}
	if known.Random, err = differential.ParseKnown(random); err != nil {
		return Known{}, fmt.Errorf("known.yaml: %w", err)
	}
	return known, nil
}

// Reason returns why a reference server answers an exchange otherwise, empty if it should not.
func (k Known) Reason(profile, exchange string) string {
	for _, e := range k.Exchanges {
		if e.Profile == profile && e.Exchange == exchange {
			return e.Reason
		}
	}
	return ""
}
