<?php // Connects as stream clients of PHP do: php.php HOST PORT CA
[, $host, $port, $ca] = $argv;
$context = stream_context_create(['ssl' => ['cafile' => $ca, 'verify_peer' => true, 'peer_name' => $host]]);
set_error_handler(fn ($level, $message) => print("$message\n"));
$socket = stream_socket_client("ssl://$host:$port", $code, $message, 5, STREAM_CLIENT_CONNECT, $context);
echo $socket ? 'connected' : $message, "\n";
