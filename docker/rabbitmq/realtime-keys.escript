#!/usr/bin/env escript
%% realtime-keys.escript DIRECTORY KEY
%%
%% Writes the public keys with which the broker verifies tokens of browsers to DIRECTORY: app.pem from REALTIME_PUBLIC_KEY,
%% and next.pem from REALTIME_NEXT_PUBLIC_KEY, which is the same one unless keys are being changed. Without
%% REALTIME_PUBLIC_KEY it makes a pair for development, the private one of which is kept in the file KEY, and refuses to in
%% production.

-define(note, "Development key for realtime tokens, made on this machine. Not for production.\n\n").

-define(wanted, ": expected a public RSA key in PEM, with the line -----BEGIN PUBLIC KEY-----, found something else. This "
    "prints the public key of a private one: openssl pkey -in key.pem -pubout").

main([Directory, KeyFile]) ->
    try
        App = case variable("REALTIME_PUBLIC_KEY") of
            undefined -> development_key(KeyFile);
            Given -> public_key("REALTIME_PUBLIC_KEY", Given)
        end,
        Next = case variable("REALTIME_NEXT_PUBLIC_KEY") of
            undefined -> App;
            GivenNext -> public_key("REALTIME_NEXT_PUBLIC_KEY", GivenNext)
        end,
        write(filename:join(Directory, "app.pem"), App, 8#644),
        write(filename:join(Directory, "next.pem"), Next, 8#644)
    catch
        throw:Fault ->
            io:format(standard_error, "~ts~n", [Fault]),
            halt(1)
    end.

variable(Name) ->
    case os:getenv(Name, "") of
        "" -> undefined;
        Value -> unicode:characters_to_binary(Value)
    end.

in_production() -> os:getenv("NODE_ENV") =:= "production".

%% Throws unless it is the public part of an RSA key that is long enough.
public_key(Name, Pem) ->
    case in_production() andalso binary:match(Pem, <<"Development key">>) =/= nomatch of
        true -> throw([Name, ": expected a key of your own in production, found the one of development"]);
        false -> ok
    end,
    try public_key:pem_entry_decode(hd(public_key:pem_decode(Pem))) of
        {'RSAPublicKey', Modulus, _} when Modulus bsr 2047 > 0 -> Pem;
        {'RSAPublicKey', _, _} -> throw([Name, ": expected an RSA key of 2048 bits or more, found a shorter one"]);
        _ -> throw([Name, ?wanted])
    catch
        error:_ -> throw([Name, ?wanted])
    end.

development_key(KeyFile) ->
    in_production() andalso
        throw("REALTIME_PUBLIC_KEY: expected the public RSA key of whoever makes tokens for browsers, found none. Make a pair "
            "by: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem && openssl pkey -in key.pem -pubout"),
    case file:read_file(KeyFile) of
        {ok, Pem} -> public_part(public_key:pem_entry_decode(hd(public_key:pem_decode(Pem))));
        {error, enoent} ->
            Key = public_key:generate_key({rsa, 2048, 65537}),
            write(KeyFile, [?note, pem('RSAPrivateKey', Key)], 8#600),
            public_part(Key)
    end.

public_part(Key) ->
    Public = {'RSAPublicKey', element(3, Key), element(4, Key)},
    iolist_to_binary([?note, pem('SubjectPublicKeyInfo', Public)]).

pem(Type, Key) -> public_key:pem_encode([public_key:pem_entry_encode(Type, Key)]).

%% At once and whole: other nodes of the cluster may look.
write(File, Content, Mode) ->
    ok = filelib:ensure_dir(File),
    New = File ++ ".new",
    ok = file:write_file(New, ""),
    ok = file:change_mode(New, Mode),
    ok = file:write_file(New, Content),
    ok = file:rename(New, File).
