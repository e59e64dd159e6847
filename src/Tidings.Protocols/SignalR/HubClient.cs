using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace Tidings.Protocols.SignalR;

/// <summary>
/// What one client asked for, and which of its calls are open: the engine counts by numbers, SignalR's clients name their calls by text.
/// Safe for all threads.
/// </summary>
/// <param name="wantsReceive">Whether it gets events as <c>receive(event)</c>.</param>
/// <param name="wantsNamed">Whether it gets them under their own names.</param>
internal sealed class HubClient(bool wantsReceive, bool wantsNamed)
{
    private readonly ConcurrentDictionary<long, string> _calls = new();
    private long _last;

    /// <summary>Whether it gets events as <c>receive(event)</c>.</summary>
    public bool WantsReceive => wantsReceive;

    /// <summary>Whether it gets them under their own names.</summary>
    public bool WantsNamed => wantsNamed;

    /// <summary>Reads <c>events=receive</c> or <c>events=named</c>; both by default.</summary>
    public static HubClient Of(HttpRequest request) => request.Query["events"].ToString() switch
    {
        "receive" => new(wantsReceive: true, wantsNamed: false),
        "named" => new(wantsReceive: false, wantsNamed: true),
        _ => new(wantsReceive: true, wantsNamed: true),
    };

    /// <summary>Numbers a call.</summary>
    public long Open(string invocationId)
    {
        var number = ++_last; // only the session's own loop opens calls
        _calls[number] = invocationId;
        return number;
    }

    /// <summary>The name of a call that is being answered; null if it has been.</summary>
    public string? Answer(long number) => _calls.TryRemove(number, out var invocationId) ? invocationId : null;
}
