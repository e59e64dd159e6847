using Tidings.Realtime.Channels;

namespace Tidings.Protocols.Tests.Support;

/// <summary>Channel kinds as a host would have them: some of the product's and some of its own.</summary>
internal static class Catalogs
{
    public static ChannelCatalog Usual { get; } = new(
        new Dictionary<string, ChannelRules>
        {
            ["feed"] = new() { Access = AccessRule.Owner, History = 1000, Durable = true, IsFeed = true, FlatEvents = true },
            ["user"] = new() { Access = AccessRule.Owner, History = 1000, Durable = true, FlatEvents = true },
            ["notifications"] = new() { Access = AccessRule.Owner, History = 1000, Durable = true, FlatEvents = true },
            ["creator"] = new() { Access = AccessRule.SignedIn, History = 1000, Durable = true, FlatEvents = true },
            ["post"] = new() { Access = AccessRule.SignedIn, History = 1000, Durable = true, FlatEvents = true, Presence = PresenceRule.OnRequest, Typing = true },
            ["club"] = new() { Access = AccessRule.SignedIn, History = 100, Presence = PresenceRule.Always },
            ["open"] = new() { Access = AccessRule.Public, History = 1000, Durable = true },
            ["room"] = new() { Access = AccessRule.SignedIn, History = 100, ClientPublish = true },
            ["live"] = new() { Access = AccessRule.SignedIn, History = 0, ClientPublish = true },
            ["vault"] = new() { Access = AccessRule.Token, History = 100 },
            ["short"] = new() { Access = AccessRule.SignedIn, History = 2, Durable = true },
        },
        ["post_created", "post_liked"]);

    /// <summary>The same with the channel of everybody.</summary>
    public static ChannelCatalog WithBroadcast { get; } = new(
        Usual.Kinds.Append(new("broadcast", new ChannelRules { Access = AccessRule.Public, History = 1000, Durable = true })),
        ["post_created", "post_liked"]);
}
