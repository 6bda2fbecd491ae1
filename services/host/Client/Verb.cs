using System.CommandLine;
using Millrace.Primitives;
using Spectre.Console;

namespace Millrace.Client;

/// <summary>Builds commands: the same options, help and exit codes for all. 0 done, 1 failed, 2 wrong usage.</summary>
internal static class Verb
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>A command that talks to a platform.</summary>
    public static Command Remote(
        string name, string description, string example, Func<ParseResult, ApiClient, CancellationToken, Task> run,
        params Symbol[] symbols)
    {
        var command = Local(name, description, example, async (parsed, ct) =>
        {
            using var client = new ApiClient(PlatformTarget.Find(parsed));
            await run(parsed, client, ct);
            return Done;
        }, symbols);
        command.Options.Add(CommonOptions.Server);
        command.Options.Add(CommonOptions.Token);
        command.Options.Add(CommonOptions.Data);
        return command;
    }

    /// <summary>A command that needs no platform.</summary>
    public static Command Local(
        string name, string description, string example, Func<ParseResult, CancellationToken, Task<int>> run,
        params Symbol[] symbols)
    {
        var command = new Command(name, $"{description}\n\nExample:\n  {example}");
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            else command.Options.Add((Option)symbol);
        }

        command.SetAction((parsed, ct) => GuardAsync(() => run(parsed, ct), ct));
        return command;
    }

    /// <summary>Lets the command be done here when <paramref name="local"/> can: null hands on to the
    /// platform.</summary>
    public static Command OrLocal(this Command command, Func<ParseResult, int?> local)
    {
        var remote = command.Action as System.CommandLine.Invocation.AsynchronousCommandLineAction;
        command.SetAction(async (parsed, ct) => local(parsed) ?? await remote!.InvokeAsync(parsed, ct));
        return command;
    }

    /// <summary>A command that only groups others.</summary>
    public static Command Group(string name, string description, params Command[] commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands) group.Subcommands.Add(command);
        return group;
    }

    private static async Task<int> GuardAsync(Func<Task<int>> run, CancellationToken ct)
    {
        try
        {
            return await run();
        }
        catch (ApiProblemException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            foreach (var diagnostic in e.Diagnostics ?? []) await WriteDiagnosticAsync(diagnostic!);
            return Failed;
        }
        catch (MillraceException e)
        {
            await Console.Error.WriteLineAsync(e.Error.ToString());
            return e.Error.Definition == HostErrors.OptionInvalid || e.Error.Definition == HostErrors.InputMissing ||
                e.Error.Definition == HostErrors.RoleUnknown ? Usage : Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(HostErrors.PathUnusable.With(null, e.Message).ToString());
            return Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return Done;
        }
    }

    private static Task WriteDiagnosticAsync(System.Text.Json.Nodes.JsonNode d) => Console.Error.WriteLineAsync(
        $"{(string?)d["code"]} line {(int?)d["line"]}, column {(int?)d["column"]}: {(string?)d["message"]}\n" +
        $"{(string?)d["excerpt"]}");

    /// <summary>Whether a person looks at the output, so that colours and moving lines make sense.</summary>
    public static bool Interactive => AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;
}
