#!/usr/bin/env bash
# A raw call in bash with curl and jq, by the client protocol.
name="$(curl --version | head -n 1 | cut -d ' ' -f 1,2)"

while IFS= read -r line; do
    url=$(jq -r '.url + .method' <<<"$line")
    if body=$(jq -c .params <<<"$line" |
        curl --silent --show-error --max-time 10 --header 'Content-Type: application/json' --data-binary @- "$url" 2>&1); then
        jq -c --arg name "$name" '
            if has("error") then {error: {code: .error, description: .error_description}} else {value: .result} end
            + {client: $name}' <<<"$body" 2>/dev/null | grep . ||
            jq -nc --arg name "$name" '{exception: "no JSON", client: $name}'
    else
        jq -nc --arg told "$body" --arg name "$name" '{exception: $told, client: $name}'
    fi
done
