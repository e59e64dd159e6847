using Tidings.Server.Page;
using Tidings.Server.Storage;

namespace Tidings.Server.Host;

/// <summary>Runs the host to its end and says, in sentences, where it is or why it could not start.</summary>
internal static class HostRun
{
    /// <summary>Returns the exit code: 0 after a shutdown, 1 if the server could not start.</summary>
    public static async Task<int> RunHostAsync(this WebApplication app, TextWriter output, TextWriter errors)
    {
        if (ListenAddresses.FindProblem(app.Configuration) is { } problem)
        {
            await errors.WriteLineAsync($"tidings: {problem}");
            return 1;
        }

        try
        {
            // Opened before the host starts, which would log whatever is wrong with it as a stack trace beside our sentence.
            _ = app.Services.GetRequiredService<Store>();
            await app.StartAsync();
        }
        catch (Exception exception) when (SentenceOf(exception) is { } sentence)
        {
            await errors.WriteLineAsync($"tidings: {sentence}");
            return 1;
        }

        await output.WriteLineAsync(Greeting(app));
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static string? SentenceOf(Exception exception) => exception switch
    {
        StartRefusedException refused => string.Join('\n', refused.Problems),
        StorageStartException storage => storage.Message,
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => $"{exception.Message} {ListenAddresses.ChooseAnother}",
        _ => null,
    };

    /// <summary>How this server's commands are called: from a working copy, or from wherever it was published to.</summary>
    private static string Command =>
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            ? "dotnet run --project src/Tidings.Server --"
            : $"dotnet {Path.Combine(AppContext.BaseDirectory, "Tidings.Server.dll")}";

    private static string Greeting(WebApplication app)
    {
        var options = app.Services.GetRequiredService<TidingsOptions>();
        var page = PageFiles.IsBuilt ? "" : "\n  The page   is not built: install Node.js 20 or later with npm and start again. The API works without it.";
        return $"""

            Tidings is running.

              Address    {string.Join(", ", app.Urls)}{page}
              Data       {options.DataDirectory}
              A token    {Command} token --user 42
              Stop       Ctrl+C

            """;
    }
}
