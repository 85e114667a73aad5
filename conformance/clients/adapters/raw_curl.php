<?php
// A raw call in PHP with curl, sent as CRest of the vendor sends it, by the client protocol.

function vote(array $asked): array
{
    $curl = curl_init($asked['url'] . $asked['method'] . '.json');
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => http_build_query($asked['params']),
        CURLOPT_POSTREDIR => 10,
        CURLOPT_FOLLOWLOCATION => true,
        CURLOPT_TIMEOUT => 10,
        CURLOPT_CAINFO => getenv('SSL_CERT_FILE') ?: null,
    ]);
    $body = curl_exec($curl);
    if ($body === false) {
        return ['exception' => curl_error($curl)];
    }
    $answer = json_decode($body, true);
    if (!is_array($answer)) {
        return ['exception' => 'no JSON'];
    }
    if (isset($answer['error'])) {
        $status = curl_getinfo($curl, CURLINFO_HTTP_CODE);
        return ['error' => ['code' => $answer['error'], 'description' => $answer['error_description'] ?? '', 'status' => $status]];
    }
    return ['value' => $answer['result'] ?? null];
}

while (($line = fgets(STDIN)) !== false) {
    echo json_encode(vote(json_decode($line, true)) + ['client' => 'curl of PHP ' . PHP_VERSION]), "\n";
}
