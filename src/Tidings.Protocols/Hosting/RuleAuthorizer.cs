using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Hosting;

/// <summary>Whether a client may subscribe to a channel of one kind, as the host has written it.</summary>
internal sealed record ChannelDecision(Func<ClientIdentity, ChannelName, ValueTask<bool>> Allows);

/// <summary>Decides by the rules of the kinds and the host's delegates: both must allow it. What no rule allows is denied.</summary>
internal sealed class RuleAuthorizer : IChannelAuthorizer
{
    private readonly ChannelCatalog _catalog;
    private readonly IReadOnlyDictionary<string, ChannelDecision> _decisions;

    /// <exception cref="InvalidOperationException">Nobody decides about a kind.</exception>
    public RuleAuthorizer(ChannelCatalog catalog, IReadOnlyDictionary<string, ChannelDecision> decisions)
    {
        _catalog = catalog;
        _decisions = decisions;
        foreach (var (kind, rules) in catalog.Kinds)
        {
            if (rules.Access is AccessRule.Token or AccessRule.Webhook)
                throw new InvalidOperationException($"The channels of '{kind}' have Access {rules.Access}, which needs an IChannelAuthorizer of yours: register one as a singleton.");
            if (rules.Access == AccessRule.Custom && !decisions.ContainsKey(kind))
                throw new InvalidOperationException($"Nobody could subscribe to the channels of '{kind}': set Access, or give Channel a delegate, or register an IChannelAuthorizer.");
        }
    }

    /// <inheritdoc />
    public async ValueTask<ChannelGrant> AuthorizeAsync(
        ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        var isAllowed = _catalog.RulesOf(channel).Access switch
        {
            AccessRule.Public or AccessRule.Custom => true,
            AccessRule.SignedIn => identity.UserId is not null,
            AccessRule.Owner => identity.UserId is { } user && string.Equals(user, channel.Id, StringComparison.Ordinal),
            _ => false,
        };
        if (isAllowed && _decisions.TryGetValue(channel.Kind, out var decision)) isAllowed = await decision.Allows(identity, channel).ConfigureAwait(false);
        return isAllowed ? ChannelGrant.Open : ChannelGrant.Denied;
    }
}
