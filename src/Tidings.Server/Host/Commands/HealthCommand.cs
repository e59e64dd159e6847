using System.Text.Json;

namespace Tidings.Server.Host.Commands;

/// <summary>
/// <c>health [--url http://127.0.0.1:5000] [--wait 30]</c>: asks a running server whether it is ready, for container and service managers
/// (the runtime's image has no HTTP client). Exit code 0: ready; 1: not, or no answer. With <c>--wait</c> it asks again until it is or the
/// seconds are over.
/// </summary>
internal static class HealthCommand
{
    private const int LongestWaitSeconds = 3_600;

    /// <summary>More than the server's own patience with its database, so that it is the server that says what is wrong.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public static Command Command { get; } =
        new("health", "[--url <address>] [--wait <seconds>]", "asks the running server whether it is ready; the exit code tells", RunAsync);

    private static async Task<int> RunAsync(CommandContext context)
    {
        var arguments = new CommandArguments(context.Arguments, "url", "wait");
        var address = ServerAddress.Of(arguments, context.Configuration);
        var patience = TimeSpan.FromSeconds(arguments.Number("wait", whenAbsent: 0, most: LongestWaitSeconds));

        using var http = ServerAddress.Client();
        http.Timeout = Timeout.InfiniteTimeSpan;
        var clock = TimeProvider.System;
        var startedAt = clock.GetTimestamp();
        while (true)
        {
            var (isReady, state) = await AskAsync(http, new Uri(address, "/health/ready"), clock);
            if (!isReady && clock.GetElapsedTime(startedAt) + Pause < patience)
            {
                await Task.Delay(Pause, clock);
                continue;
            }

            await (isReady ? context.Output : context.Errors).WriteLineAsync(state);
            return isReady ? 0 : 1;
        }
    }

    private static async Task<(bool IsReady, string State)> AskAsync(HttpClient http, Uri ready, TimeProvider clock)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        try
        {
            using var answer = await http.GetAsync(ready, deadline.Token);
            var body = await answer.Content.ReadAsByteArrayAsync(deadline.Token);
            return StateOf(body) is { } state
                ? (answer.IsSuccessStatusCode && state == "ready", state)
                : (false, $"{ready} answered {(int)answer.StatusCode}, and not as a Tidings server does.");
        }
        catch (HttpRequestException exception)
        {
            return (false, $"{ready} does not answer: {exception.Message}");
        }
        catch (OperationCanceledException)
        {
            return (false, $"{ready} did not answer within {Deadline.TotalSeconds:0} s.");
        }
    }

    /// <summary>What <c>/health/ready</c> said, on one line; null if it is not from there.</summary>
    private static string? StateOf(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("status", out var status)) return null;
            if (status.ValueKind != JsonValueKind.String || status.GetString() is not ("ready" or "not_ready")) return null;
            var reasons = json.RootElement.TryGetProperty("reasons", out var list) && list.ValueKind == JsonValueKind.Array
                ? list.EnumerateArray().Where(reason => reason.ValueKind == JsonValueKind.String).Select(reason => reason.GetString())
                : [];
            return string.Join(' ', [status.GetString()!.Replace('_', ' '), .. reasons]);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
