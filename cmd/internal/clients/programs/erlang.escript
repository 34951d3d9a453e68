%% Connects with OTP's ssl application: erlang.escript HOST PORT CA
main([Host, Port, CA]) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    Name = case inet:parse_address(Host) of {ok, Address} -> Address; _ -> Host end,
    Options = [{verify, verify_peer}, {cacertfile, CA}, {versions, ['tlsv1.2', 'tlsv1.3']},
               {customize_hostname_check, [{match_fun, public_key:pkix_verify_hostname_match_fun(https)}]}],
    case ssl:connect(Name, list_to_integer(Port), Options, 5000) of
        {ok, Socket} -> ssl:close(Socket), io:format("connected~n");
        {error, Reason} -> io:format("~0p~n", [Reason])
    end.
