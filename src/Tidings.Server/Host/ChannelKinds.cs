using Tidings.Realtime.Channels;
using Tidings.Server.Events;

namespace Tidings.Server.Host;

/// <summary>The kinds of channels: the product's, as its table has them, and the host app's, as configured under <c>Tidings:Channels</c>.</summary>
internal static class ChannelKinds
{
    private static readonly Dictionary<string, ChannelRules> OfTheProduct = new(StringComparer.Ordinal)
    {
        ["feed"] = Kept with { Access = AccessRule.Owner, IsFeed = true },
        ["user"] = Kept with { Access = AccessRule.Owner },
        ["notifications"] = Kept with { Access = AccessRule.Owner },
        ["creator"] = Kept with { Presence = PresenceRule.OnRequest },
        ["post"] = Kept with { Presence = PresenceRule.OnRequest, Typing = true },
        ["conversation"] = Kept with { Presence = PresenceRule.Always, Typing = true },
        ["public"] = Kept with { Access = AccessRule.SignedIn },
        ["presence"] = Kept with { Access = AccessRule.SignedIn, History = 0, Durable = false, Presence = PresenceRule.Always },
        ["broadcast"] = Kept with { Access = AccessRule.Public },
        [EventChannels.BetweenNodes.Kind] = Kept with { IsInternal = true },
    };

    /// <summary>
    /// The events of the product beside those of the engine, whose fields stand beside <c>type</c> and <c>id</c>; <c>post:{id}:status</c>
    /// is flat by its channel.
    /// </summary>
    private static readonly string[] FlatEvents =
    [
        "post_created", "post_updated", "post_deleted", "post_liked", "post_unliked", "comment_added", "comment_updated", "comment_deleted",
        "feed_update", "creator_updated", "new_subscription", "notification", "notification_read", "notifications_cleared", "unread_notifications",
        "message_created", "message_read", "tip_received",
        "post:created", "post:publishing", "post:published", "post:failed", "post_status",
        "account:connected", "account:disconnected", "analytics:updated",
    ];

    private static readonly Dictionary<string, AccessRule> AccessWords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["public"] = AccessRule.Public,
        ["signed-in"] = AccessRule.SignedIn,
        ["owner"] = AccessRule.Owner,
        ["token"] = AccessRule.Token,
        ["webhook"] = AccessRule.Webhook,
    };

    private static readonly Dictionary<string, SlowReaderPolicy> SlowReaderWords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["cut"] = SlowReaderPolicy.Cut,
        ["drop-oldest"] = SlowReaderPolicy.DropOldest,
        ["latest"] = SlowReaderPolicy.Latest,
    };

    private static readonly Dictionary<string, PresenceRule> PresenceWords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["true"] = PresenceRule.Always,
        ["on-request"] = PresenceRule.OnRequest,
        ["false"] = PresenceRule.None,
    };

    private static ChannelRules Kept => new() { History = 1_000, HistoryAge = TimeSpan.FromHours(24), Durable = true, FlatEvents = true };

    /// <summary>Reads the configured kinds over the product's; what is wrong is added to <paramref name="problems"/>.</summary>
    public static ChannelCatalog Read(IConfiguration section, List<string> problems)
    {
        var kinds = new Dictionary<string, ChannelRules>(OfTheProduct, StringComparer.Ordinal);
        foreach (var child in section.GetSection("Channels").GetChildren())
        {
            var settings = new SettingsReader(child, $"{OptionsReader.Section}:Channels:{child.Key}");
            if (!ChannelName.IsKind(child.Key))
                settings.RefuseAll($"is not a channel kind: use a lower-case letter, then lower-case letters and digits, at most {ChannelName.MaxKindLength}.");
            else if (child.Key == EventChannels.BetweenNodes.Kind)
                settings.RefuseAll("is the kind of channels between nodes: name yours otherwise.");
            else
                kinds[child.Key] = OfTheProduct.TryGetValue(child.Key, out var ours) ? OverOurs(ours, settings) : OfTheHost(settings);
            problems.AddRange(settings.Problems);
        }

        try
        {
            return new ChannelCatalog(kinds, FlatEvents);
        }
        catch (ArgumentException exception)
        {
            problems.Add($"{OptionsReader.Section}:Channels cannot be used: {exception.Message}");
            return new ChannelCatalog(OfTheProduct, FlatEvents);
        }
    }

    private static ChannelRules OfTheHost(SettingsReader settings)
    {
        if (settings.Text("Access") is null) settings.Refuse("Access", $"is missing: write one of {string.Join(", ", AccessWords.Keys)}.");

        var slowReader = settings.Word("SlowReader", SlowReaderPolicy.Cut, SlowReaderWords);
        return Rules(settings, new ChannelRules { SlowReader = slowReader, History = slowReader == SlowReaderPolicy.Cut ? 100 : 0 }) with
        {
            Durable = settings.Switch("Durable", whenAbsent: false),
            ClientPublish = settings.Switch("ClientPublish", whenAbsent: false),
        };
    }

    /// <summary>What the features rely on (durability, feeds, who publishes) stays as it is.</summary>
    private static ChannelRules OverOurs(ChannelRules ours, SettingsReader settings)
    {
        foreach (var key in (string[])["Durable", "ClientPublish", "SlowReader"])
            if (settings.Text(key) is not null) settings.Refuse(key, "cannot be set: this kind is Tidings' own.");
        if (ours.Access == AccessRule.Owner && settings.Text("Access") is { } access && AccessWords.TryGetValue(access, out var rule) && rule != AccessRule.Owner)
            settings.Refuse("Access", $"cannot be {access}: what is in these channels is for their owner alone.");
        return Rules(settings, ours);
    }

    private static ChannelRules Rules(SettingsReader settings, ChannelRules rules) => rules with
    {
        Access = settings.Word("Access", rules.Access, AccessWords),
        History = settings.Number("History", rules.History, least: 0, most: 100_000),
        HistoryAge = settings.Duration("HistoryAge", rules.HistoryAge, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365)),
        Presence = settings.Word("Presence", rules.Presence, PresenceWords),
    };
}
