"""Read models as pure folds over other services' facts, and the rules of aging."""
