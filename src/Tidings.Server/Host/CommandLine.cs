using Tidings.Server.Host.Commands;

namespace Tidings.Server.Host;

/// <summary>A command beside running the server.</summary>
/// <param name="Name">Its first word.</param>
/// <param name="Usage">What follows the word.</param>
/// <param name="Summary">One line for the help.</param>
/// <param name="RunAsync">Does it and returns the exit code: 0 done, 1 failed, 2 used wrongly.</param>
internal sealed record Command(string Name, string Usage, string Summary, Func<CommandContext, Task<int>> RunAsync);

/// <summary>What a command has to work with. Its result goes to <paramref name="Output"/>, remarks go to <paramref name="Errors"/>.</summary>
internal sealed record CommandContext(IReadOnlyList<string> Arguments, IConfiguration Configuration, TextWriter Output, TextWriter Errors);

/// <summary>Decides by the first argument whether this process is the server or runs a command.</summary>
internal static class CommandLine
{
    /// <summary>The commands there are.</summary>
    public static IReadOnlyList<Command> Commands { get; } = [TokenCommand.Command, HealthCommand.Command, MigrateDataCommand.Command, ConfirmPaymentCommand.Command];

    /// <summary>Runs a command and returns its exit code, or null: be the server. The configuration is made only if a command needs it.</summary>
    public static async Task<int?> TryRunAsync(IReadOnlyList<string> args, Func<IConfiguration> configuration, TextWriter output, TextWriter errors)
    {
        if (args.Count == 0) return null;
        if (args[0] is "help" or "--help" or "-h" or "-?")
        {
            await output.WriteLineAsync(Help());
            return 0;
        }

        if (args[0].StartsWith('-')) return null;   // settings for the server, such as --urls
        if (Commands.FirstOrDefault(command => command.Name == args[0]) is not { } found)
        {
            await errors.WriteLineAsync($"tidings: there is no command '{args[0]}'.\n\n{Help()}");
            return 2;
        }

        try
        {
            return await found.RunAsync(new CommandContext([.. args.Skip(1)], configuration(), output, errors));
        }
        catch (CommandUsageException exception)
        {
            await errors.WriteLineAsync($"tidings: {exception.Message}\nUsage: tidings {found.Name} {found.Usage}");
            return 2;
        }
        catch (StartRefusedException exception)
        {
            foreach (var problem in exception.Problems) await errors.WriteLineAsync($"tidings: {problem}");
            return 1;
        }
    }

    private static string Help()
    {
        var width = Commands.Max(command => command.Name.Length + command.Usage.Length) + 3;
        var lines = Commands.Select(command => $"  {(command.Name + " " + command.Usage).PadRight(width)}{command.Summary}");
        return $"""
            Usage: tidings [command] [options]

              {"".PadRight(width)}without a command: the server
            {string.Join('\n', lines)}
              {"help".PadRight(width)}this text

            Settings are read from appsettings.json and the environment (Tidings__DataDirectory=/var/lib/tidings).
            """;
    }
}

/// <summary>A command was not written as it should be.</summary>
internal sealed class CommandUsageException(string message) : Exception(message);
