using Tidings.Protocols.Hosting;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols;

/// <summary>What a host says of its channels and clients when it calls <see cref="TidingsSetup.AddTidings"/>. For one thread.</summary>
public sealed class TidingsBuilder
{
    private readonly Dictionary<string, ChannelRules> _kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ChannelDecision> _decisions = new(StringComparer.Ordinal);

    internal TidingsBuilder()
    {
    }

    /// <summary>The engine's limits and times.</summary>
    public RealtimeOptions Limits { get; set; } = new();

    /// <summary>The kinds of channels of a host that has made its catalog itself.</summary>
    internal ChannelCatalog? Catalog { get; set; }

    internal IReadOnlyDictionary<string, ChannelDecision> Decisions => _decisions;

    internal Action<NativeProtocolOptions> ClientOptions { get; private set; } = static _ => { };

    /// <summary>
    /// Adds a kind of channels: after <c>Channel("room", …)</c> there are <c>room:1</c>, <c>room:lobby</c> and so on. A channel comes into
    /// being when somebody reads it or publishes to it.
    /// </summary>
    /// <param name="kind">A lower-case letter, then lower-case letters and digits, at most 32.</param>
    /// <param name="rules">
    /// Who may subscribe and how the channels behave. <see cref="AccessRule.Custom"/>, <see cref="AccessRule.Token"/> and
    /// <see cref="AccessRule.Webhook"/> are for hosts that register an <see cref="IChannelAuthorizer"/> of their own.
    /// </param>
    public TidingsBuilder Channel(string kind, ChannelRules rules)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(rules);
        if (!_kinds.TryAdd(kind, rules)) throw new ArgumentException($"The kind '{kind}' was added before: say all about it in one call.", nameof(kind));
        return this;
    }

    /// <inheritdoc cref="Channel(string, ChannelRules, Func{ClientIdentity, ChannelName, ValueTask{bool}})" />
    public TidingsBuilder Channel(string kind, ChannelRules rules, Func<ClientIdentity, ChannelName, bool> authorize)
    {
        ArgumentNullException.ThrowIfNull(authorize);
        return Channel(kind, rules, (client, channel) => ValueTask.FromResult(authorize(client, channel)));
    }

    /// <summary>Adds a kind of channels whose readers are chosen by a delegate.</summary>
    /// <param name="kind">A lower-case letter, then lower-case letters and digits, at most 32.</param>
    /// <param name="rules">How the channels behave. With an <see cref="ChannelRules.Access"/> other than <see cref="AccessRule.Custom"/> that rule must allow it too.</param>
    /// <param name="authorize">
    /// Whether a client may subscribe. Called for each subscription, fresh or resumed, on any thread. What it throws is logged, and the
    /// client is told of a fault of the server.
    /// </param>
    public TidingsBuilder Channel(string kind, ChannelRules rules, Func<ClientIdentity, ChannelName, ValueTask<bool>> authorize)
    {
        ArgumentNullException.ThrowIfNull(authorize);
        Channel(kind, rules);
        _decisions[kind] = new ChannelDecision(authorize);
        return this;
    }

    /// <summary>Says who may connect: anonymous clients, other origins, limits by address.</summary>
    public TidingsBuilder Clients(Action<NativeProtocolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        ClientOptions += configure;
        return this;
    }

    /// <exception cref="ArgumentException">There is no kind, or the rules of one contradict each other.</exception>
    internal ChannelCatalog BuildCatalog()
    {
        if (Catalog is not null) return Catalog;
        if (_kinds.Count == 0) throw new ArgumentException("There is no kind of channels: add one with tidings.Channel(\"room\", new() { Access = AccessRule.SignedIn }).");
        return new ChannelCatalog(_kinds);
    }
}
