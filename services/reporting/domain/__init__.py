"""Read models as pure folds over other services' facts, the rules of aging, and collection notes."""
