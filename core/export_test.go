package core

import "context"

// MaxBlur is maxBlur for tests that measure how long answers take.
const MaxBlur = maxBlur

// AskMail adds a mail that a client of a profile asks for by a name, which an account has, or nobody if it is nil.
func (s *Service) AskMail(ctx context.Context, profile string, kind MailKind, name string, account *Account) error {
	if err := s.mayAskMail(ctx, profile); err != nil {
		return err
	}
	return s.addMail(ctx, profile, kind, name, account)
}
