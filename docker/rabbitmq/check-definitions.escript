#!/usr/bin/env escript
%% check-definitions.escript WANTED        ends with 1 if the file cannot be read as definitions, and says why
%% check-definitions.escript WANTED FOUND  also says where FOUND, exported by the broker, is not as wanted: an import leaves
%%                                         what exists as it is, and does not say so
-mode(compile).

main([WantedFile | FoundFiles]) ->
    Wanted = read(WantedFile),
    case [Line || File <- FoundFiles, Line <- compare(Wanted, read(File))] of
        [] -> ok;
        Lines ->
            [say(Line) || Line <- Lines],
            say("nothing that exists was changed: see \"What exists with other arguments\" in docs/operations.md")
    end.

read(File) ->
    case file:read_file(File) of
        {ok, Text} ->
            case rabbit_json:try_decode(Text) of
                {ok, Definitions} when is_map(Definitions) -> Definitions;
                {ok, _} -> refuse("another JSON value than an object");
                {error, _} -> refuse(["text that is no JSON", place(Text)])
            end;
        {error, Reason} -> refuse(file:format_error(Reason))
    end.

%% The decoder of RabbitMQ 3 does not tell where.
place(Text) ->
    try thoas:decode(Text) of
        {error, unexpected_end_of_input} -> ": it is cut off";
        {error, Reason} ->
            Before = binary:part(Text, 0, element(tuple_size(Reason), Reason)),
            io_lib:format(" in line ~b", [length(binary:split(Before, <<"\n">>, [global]))])
    catch
        error:undef -> ""
    end.

refuse(Found) ->
    say(["expected definitions in JSON, found ", Found, "; mend it, or write it anew with `npm run generate`"]),
    halt(1).

compare(Wanted, Found) ->
    [Line ||
        {Kind, Keys} <- kinds(),
        Each <- maps:get(Kind, Wanted, []),
        Line <- compare_one(Kind, maps:with(Keys, Each), maps:without(Keys, Each), maps:get(Kind, Found, []))].

%% What tells one of them from another.
kinds() ->
    [{<<"exchanges">>, [<<"vhost">>, <<"name">>]},
     {<<"queues">>, [<<"vhost">>, <<"name">>]},
     {<<"bindings">>, [<<"vhost">>, <<"source">>, <<"destination">>, <<"destination_type">>, <<"routing_key">>]}].

compare_one(Kind, Identity, Wanted, Found) ->
    What = [string:trim(Kind, trailing, "s"), " ", name(Identity), ": "],
    case [Each || Each <- Found, maps:with(maps:keys(Identity), Each) =:= Identity] of
        %% The import has made whatever was not there.
        [] -> [[What, "expected one that can be exported, found an internal or exclusive one"]];
        Same ->
            [[What, Field, ": expected ", print(Expected), ", found ", print(Actual)] ||
                Each <- Same, {Field, Expected, Actual} <- differences(Wanted, Each)]
    end.

name(#{<<"name">> := Name}) -> Name;
name(#{<<"source">> := Source, <<"destination">> := Destination, <<"routing_key">> := Key}) ->
    [Source, " -> ", Destination, " by ", Key].

%% Of the arguments, each by itself, and those that are not wanted too.
differences(Wanted, Found) ->
    {Arguments, Fields} = maps:take(<<"arguments">>, maps:merge(#{<<"arguments">> => #{}}, Wanted)),
    Actual = maps:get(<<"arguments">>, Found, #{}),
    %% RabbitMQ 4.3 leaves it out where it is false.
    unequal(maps:keys(Fields), Fields, maps:merge(#{<<"internal">> => false}, Found)) ++ unequal(maps:keys(maps:merge(Arguments, Actual)), Arguments, Actual).

unequal(Names, Wanted, Found) ->
    [{Name, maps:get(Name, Wanted, none), maps:get(Name, Found, none)} ||
        Name <- lists:sort(Names), maps:get(Name, Wanted, none) =/= maps:get(Name, Found, none)].

print(none) -> "none";
print(Value) -> rabbit_json:encode(Value).

say(Line) -> io:format(standard_error, "docker/rabbitmq/definitions.json: ~ts~n", [Line]).
