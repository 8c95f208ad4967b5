#!/usr/bin/env bash
# promtool on the kit's configurations, rules and the rules' tests; amtool on the Alertmanager example.
# ./dev test observability. What is not installed is skipped, visibly: ./dev setup --ci gets it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../observability"

passed=0 failed=0 skipped=0
check() {
    local program=$1
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "skipped: $program is not installed (./dev setup --ci): $*"
        skipped=$((skipped + 1))
    elif "$@"; then
        passed=$((passed + 1))
    else
        echo "failed: $*"
        failed=$((failed + 1))
    fi
}

check promtool check config prometheus.yml
check promtool check config prometheus-fleet.yml
check promtool check rules rules/recording.yml rules/alerts.yml
for file in rules/tests/*.yml; do check promtool test rules "$file"; done
check amtool check-config alertmanager.yml

# In the form that ./dev repeats at its end.
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
