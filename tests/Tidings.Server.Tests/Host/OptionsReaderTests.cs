using Microsoft.Extensions.Configuration;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class OptionsReaderTests
{
    private const string LongLabel = ".a-label-of-thirty-two-letters-xx";

    /// <summary>Longer than a name may be, with a letter that none may have.</summary>
    private const string LongHost = $"https://\ufffd{LongLabel}{LongLabel}{LongLabel}{LongLabel}{LongLabel}{LongLabel}{LongLabel}{LongLabel}{LongLabel}";

    [Fact]
    public void Without_settings_everything_has_its_default()
    {
        var options = OptionsReader.Read(Configuration());

        options.DataDirectory.ShouldBe(Path.GetFullPath("data"));
        options.App.Id.ShouldBe("tidings");
        options.Auth.UserIdClaims.ShouldBe(["sub", "id", "userId"]);
        options.Auth.ClockSkew.ShouldBe(TimeSpan.FromSeconds(30));
        options.Auth.MaxTokenLifetime.ShouldBe(TimeSpan.FromDays(30));
        (options.Auth.AllowAnonymous, options.Auth.Registration).ShouldBe((false, true));
        (options.Limits.ConnectionsPerUser, options.Limits.ConnectionsPerAddress, options.Limits.HandshakesPerSecond).ShouldBe((20, 200, 5_000));
        (options.Limits.RequestsPerSecondPerUser, options.Limits.RequestsPerSecondPerAddress).ShouldBe((50, 200));
        (options.Limits.PostChars, options.Limits.UploadBytes).ShouldBe((10_000, 104_857_600));
        (options.Limits.MessagesPerSecond, options.Limits.MessageBurst, options.Limits.MessageBytes).ShouldBe((50, 100, 65_536));
        (options.Limits.OutboundBytes, options.Limits.SubscriptionsPerConnection).ShouldBe((1_048_576, 200));
        options.TrustedProxies.Select(network => network.ToString()).ShouldBe(["127.0.0.0/8", "::1/128"]);
        options.AllowedOrigins.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Auth:Secret", "secret", "Tidings:Auth:Secret is or contains a well-known default")]
    [InlineData("Auth:Secret", "changeme-changeme-changeme-changeme", "well-known default")]
    [InlineData("Auth:Secret", "a-string-secret-at-least-256-bits-long", "well-known default")]
    [InlineData("Auth:Secret", "k3J9xQ0pLmN2bV7c", "fewer than 32 bytes")]
    [InlineData("Auth:Secret", "k3J9xQ0pLmN2bV7cX8zW4sR6tY1uI5o", "fewer than 32 bytes")]
    [InlineData("Auth:Secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats a few characters")]
    [InlineData("Auth:Secret", "abababababababababababababababababababababab", "repeats a few characters")]
    [InlineData("App:Secret", "secret", "Tidings:App:Secret is or contains a well-known default")]
    [InlineData("App:Key", "has space", "Tidings:App:Key may have")]
    [InlineData("App:Id", "a/b", "Tidings:App:Id may have")]
    [InlineData("Roles", "api", "without Tidings:Database there are none")]
    [InlineData("Roles", "api,cooking", "has 'cooking': a node's roles are api, realtime, publishing")]
    [InlineData("Roles", "none", "names nothing that this node should do")]
    [InlineData("Database", "Host=x", "Tidings:EncryptionKeys must be set when Tidings:Database is")]
    [InlineData("Redis", "redis:6379", "is set, but Tidings:Database is not")]
    [InlineData("Redis", "redis://redis:6379", "write an address such as redis.example.com:6379, without redis://")]
    [InlineData("RedisShards:0", "redis,colour=red", "Tidings:RedisShards:0 has 'colour', which is not an option")]
    [InlineData("EncryptionKeys", "short", "Tidings:EncryptionKeys has fewer than 32 bytes")]
    [InlineData("AllowedOrigins", "*", "wildcards are not allowed")]
    [InlineData("AllowedOrigins", "https://*.example.com", "wildcards are not allowed")]
    [InlineData("AllowedOrigins", "https://example.com/", "write an origin such as")]
    [InlineData("AllowedOrigins", "example.com", "write an origin such as")]
    [InlineData("AllowedOrigins", "https://example.com/path", "write an origin such as")]
    [InlineData("AllowedOrigins", "https://user@example.com", "write an origin such as")]
    [InlineData("AllowedOrigins", "ftp://example.com", "write an origin such as")]
    [InlineData("AllowedOrigins", LongHost, "write an origin such as")]
    [InlineData("AllowedOrigins", "null", "write an origin such as")]
    [InlineData("Auth:JwksUrl", "keys.json", "give a whole URL")]
    [InlineData("Auth:JwksUrl", "file:///etc/passwd", "give a whole URL")]
    [InlineData("Auth:JwksUrl", "https://user:password@example.com/keys", "give a whole URL")]
    [InlineData("Auth:ChannelWebhook", "nowhere", "give a whole URL")]
    [InlineData("Auth:ClockSkew", "-5s", "give a duration")]
    [InlineData("Auth:ClockSkew", "1h", "give a duration such as 30s, 5m, 12h or 30d, from 0s to")]
    [InlineData("Auth:MaxTokenLifetime", "soon", "give a duration")]
    [InlineData("Auth:UserIdClaims", "exp", "needs 1 to 8 names")]
    [InlineData("Auth:AllowAnonymous", "yes", "write true or false")]
    [InlineData("Limits:PostChars", "-1", "give a whole number from 1")]
    [InlineData("Limits:MessageBytes", "64KB", "give a whole number")]
    [InlineData("Limits:ConnectionsPerUser", "0", "give a whole number of at least 1")]
    [InlineData("Limits:ConnectionsPerUser", "99999999999999999999", "give a whole number")]
    [InlineData("TrustedProxies", "10.0.0.0/99", "write an address")]
    [InlineData("TrustedProxies", "proxy.internal", "write an address")]
    [InlineData("Features:Realtime", "on", "write true or false")]
    [InlineData("Channels:room:Access", "everyone", "Tidings:Channels:room:Access is 'everyone': write one of public, signed-in, owner, token")]
    [InlineData("Channels:room:History", "10", "Tidings:Channels:room:Access is missing")]
    [InlineData("Channels:Room:Access", "public", "Tidings:Channels:Room is not a channel kind")]
    [InlineData("Channels:feed:Access", "public", "Tidings:Channels:feed:Access cannot be public: what is in these channels is for their owner alone")]
    [InlineData("Channels:user:Access", "signed-in", "cannot be signed-in")]
    [InlineData("Channels:notifications:Access", "token", "cannot be token")]
    [InlineData("Channels:feed:Durable", "false", "cannot be set: this kind is Tidings' own")]
    public void A_wrong_value_is_told_in_a_sentence(string key, string value, string part)
    {
        var problem = Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration((key, value)))).Problems.ShouldHaveSingleItem();
        problem.ShouldContain(part);
        problem.ShouldStartWith("Tidings:");
        problem.ShouldContain(' ');
        problem.Split('\n').ShouldHaveSingleItem();
        if (key.EndsWith("Secret", StringComparison.Ordinal) && value.Length > 10) problem.ShouldNotContain(value);
    }

    [Fact]
    public void All_problems_are_told_at_once() =>
        Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration(("Auth:Secret", "secret"), ("Limits:PostChars", "x"), ("AllowedOrigins", "*"))))
            .Problems.Count.ShouldBe(3);

    [Fact]
    public void The_two_secrets_are_different_ones()
    {
        const string secret = "Zq4uV9xT2mLr8KpWc7NhYb3GdFsJ6aEe1XoQ5RiU";
        Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration(("Auth:Secret", secret), ("App:Secret", secret))))
            .Problems.ShouldHaveSingleItem().ShouldContain("different keys");
    }

    [Theory]
    [InlineData("https://app.example.com", "https://app.example.com")]
    [InlineData("https://app.example.com:443", "https://app.example.com")]
    [InlineData("http://app.example.com:80", "http://app.example.com")]
    [InlineData("HTTP://LocalHost:3000", "http://localhost:3000")]
    [InlineData("http://[::1]:3000", "http://[::1]:3000")]
    [InlineData("https://bücher.example", "https://xn--bcher-kva.example")]
    public void Origins_are_kept_as_browsers_write_them(string given, string kept) =>
        OptionsReader.Read(Configuration(("AllowedOrigins", given))).AllowedOrigins.ShouldBe([kept]);

    [Theory]
    [InlineData("45", 45)]
    [InlineData("45s", 45)]
    [InlineData("2m", 120)]
    [InlineData("00:01:30", 90)]
    [InlineData("0s", 0)]
    public void Durations_have_several_spellings(string text, int seconds) =>
        OptionsReader.Read(Configuration(("Auth:ClockSkew", text))).Auth.ClockSkew.ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("api", NodeRoles.Api)]
    [InlineData("Realtime, publishing", NodeRoles.Realtime | NodeRoles.Publishing)]
    [InlineData("api,realtime,publishing", NodeRoles.All)]
    internal void Nodes_of_one_database_share_the_roles(string text, NodeRoles roles) => OptionsReader.Read(Configuration(
        ("Roles", text), ("Database", "Host=x"), ("EncryptionKeys", "k3J9xQ0pLmN2bV7cX8zW4sR6tY1uI5oA"))).Roles.ShouldBe(roles);

    [Theory]
    [InlineData("ws:", null, "Tidings:RedisIngress is set, but Tidings:Redis is not")]
    [InlineData("tidings:", "localhost:6379", "Tidings:RedisIngress would meet")]
    [InlineData(null, "localhost:6379", "Tidings:Redis is set, but Tidings:Database is not")]
    public void Redis_without_a_database_is_for_what_backends_publish_in_it(string? prefix, string? redis, string problem)
    {
        Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration(("RedisIngress", prefix), ("Redis", redis))))
            .Problems.ShouldHaveSingleItem().ShouldStartWith(problem);
        OptionsReader.Read(Configuration(("RedisIngress", "ws:"), ("Redis", "localhost:6379"))).IsShared.ShouldBeFalse();
    }

    [Fact]
    public void Lists_are_numbered_or_have_commas()
    {
        OptionsReader.Read(Configuration(("AllowedOrigins:0", "https://a.example"), ("AllowedOrigins:1", "https://b.example"))).AllowedOrigins.Count.ShouldBe(2);
        OptionsReader.Read(Configuration(("TrustedProxies", "10.0.0.0/8, 192.0.2.7,fd00::/8"))).TrustedProxies.Count.ShouldBe(3);
        OptionsReader.Read(Configuration(("TrustedProxies", "none"))).TrustedProxies.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Auth:Secert", "Tidings:Auth:Secret")]
    [InlineData("Limit:PostChars", "Tidings:Limits:PostChars")]
    [InlineData("DataDir", "Tidings:DataDirectory")]
    [InlineData("Channels:room:Histroy", "Tidings:Channels:room:History")]
    [InlineData("Auth:JwksURI", "Tidings:Auth:JwksUrl")]
    public void A_misspelt_key_is_told_with_the_nearest_one(string key, string nearest) =>
        KnownSettings.WarningsFor(Configuration((key, "x"))).ShouldBe([$"Tidings:{key} is not a setting; did you mean {nearest}?"]);

    [Fact]
    public void Settings_of_other_features_and_in_any_case_are_known() => KnownSettings.WarningsFor(Configuration(
        ("database", "Host=x"), ("Redis", ""), ("CronSecret", "x"), ("Webhooks:0:Url", "x"), ("Webhooks:0:Events:0", "x"), ("App:OtherKeys:old:Key", "x"), ("Payments:WebhookSecret", "x"),
        ("Publishing:Grace", "60m"), ("Operations:Urls", "x"), ("Roles", "api"), ("auth:secret", "x"), ("Channels:room:SlowReader", "latest"))).ShouldBeEmpty();

    [Fact]
    public void Further_pairs_of_keys_are_whole_and_strong()
    {
        const string strong = "0f3c9a7d5b1e4826a8c0d2e4f6081a3c";
        OptionsReader.Read(Configuration(("App:OtherKeys:old:Key", "k1"), ("App:OtherKeys:old:Secret", strong))).App.OtherKeys.ShouldBe([("k1", strong)]);
        OptionsReader.Read(Configuration()).App.OtherKeys.ShouldBeEmpty();
        foreach (var (wrong, told) in new[]
        {
            (Configuration(("App:OtherKeys:old:Key", "k1")), "Tidings:App:OtherKeys:old:Secret is missing"),
            (Configuration(("App:OtherKeys:old:Secret", strong)), "Tidings:App:OtherKeys:old:Key must have"),
            (Configuration(("App:OtherKeys:old:Key", "k/1"), ("App:OtherKeys:old:Secret", strong)), "Tidings:App:OtherKeys:old:Key must have"),
            (Configuration(("App:OtherKeys:old:Key", "k1"), ("App:OtherKeys:old:Secret", "short")), "Tidings:App:OtherKeys:old:Secret"),
        })
        {
            Should.Throw<StartRefusedException>(() => OptionsReader.Read(wrong)).Message.ShouldContain(told);
        }
    }

    [Fact]
    public void The_kinds_of_the_product_are_there()
    {
        var kinds = OptionsReader.Read(Configuration()).Channels.Kinds;

        kinds.Keys.Order().ShouldBe(["broadcast", "conversation", "creator", "feed", "notifications", "post", "presence", "public", "tidings", "user"]);
        kinds.Where(kind => kind.Value.IsInternal).ShouldHaveSingleItem().Key.ShouldBe("tidings");
        kinds.Values.ShouldAllBe(rules => rules.FlatEvents && !rules.ClientPublish);
        kinds.Where(kind => kind.Key != "presence").ShouldAllBe(kind => kind.Value.Durable && kind.Value.History == 1_000 && kind.Value.HistoryAge == TimeSpan.FromDays(1));
        (kinds["presence"].History, kinds["presence"].Durable, kinds["presence"].Presence).ShouldBe((0, false, PresenceRule.Always));
        kinds.Where(kind => kind.Value.IsFeed).ShouldHaveSingleItem().Key.ShouldBe("feed");
        (kinds["conversation"].Presence, kinds["post"].Presence, kinds["creator"].Presence, kinds["user"].Presence)
            .ShouldBe((PresenceRule.Always, PresenceRule.OnRequest, PresenceRule.OnRequest, PresenceRule.None));
        kinds.Where(kind => kind.Value.Typing).Select(kind => kind.Key).Order().ShouldBe(["conversation", "post"]);
        foreach (var owned in (string[])["feed", "user", "notifications"]) kinds[owned].Access.ShouldBe(AccessRule.Owner);
    }

    [Fact]
    public void A_host_adds_kinds_and_opens_ours()
    {
        var catalog = OptionsReader.Read(Configuration(
            ("Channels:room:Access", "public"), ("Channels:cursor:Access", "signed-in"), ("Channels:cursor:SlowReader", "latest"), ("Channels:log:Access", "token"),
            ("Channels:log:Durable", "true"), ("Channels:log:History", "500"), ("Channels:log:HistoryAge", "7d"), ("Channels:post:Access", "signed-in"))).Channels;

        (catalog.Kinds["room"].History, catalog.Kinds["room"].Durable, catalog.Kinds["room"].FlatEvents).ShouldBe((100, false, false));
        (catalog.Kinds["cursor"].History, catalog.Kinds["cursor"].SlowReader).ShouldBe((0, SlowReaderPolicy.Latest));
        (catalog.Kinds["log"].History, catalog.Kinds["log"].Durable, catalog.Kinds["log"].HistoryAge).ShouldBe((500, true, TimeSpan.FromDays(7)));
        (catalog.Kinds["post"].Access, catalog.Kinds["post"].Durable).ShouldBe((AccessRule.SignedIn, true));
    }

    [Theory]
    [InlineData("true", PresenceRule.Always)]
    [InlineData("on-request", PresenceRule.OnRequest)]
    [InlineData("false", PresenceRule.None)]
    public void Presence_is_on_off_or_on_request(string word, PresenceRule rule)
    {
        var catalog = OptionsReader.Read(Configuration(("Channels:room:Access", "public"), ("Channels:room:Presence", word), ("Channels:post:Presence", word))).Channels;

        (catalog.Kinds["room"].Presence, catalog.Kinds["post"].Presence).ShouldBe((rule, rule));
    }

    [Theory]
    [InlineData("room", "sometimes", "write one of true, on-request, false")]
    [InlineData("feed", "true", "'feed' is a feed")]
    public void Presence_that_cannot_be_is_refused(string kind, string word, string problem) =>
        Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration(("Channels:room:Access", "public"), ($"Channels:{kind}:Presence", word))))
            .Problems.ShouldHaveSingleItem().ShouldContain(problem);

    [Theory]
    [InlineData("SlowReader", "latest", "History", "10")]
    [InlineData("Durable", "true", "History", "0")]
    public void Rules_that_contradict_each_other_are_refused(string first, string value, string second, string other) =>
        Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration(("Channels:room:Access", "public"), ($"Channels:room:{first}", value), ($"Channels:room:{second}", other))))
            .Problems.ShouldHaveSingleItem().ShouldContain("'room'");

    [Fact]
    public void The_products_events_are_flat_and_the_hosts_are_not()
    {
        var catalog = OptionsReader.Read(Configuration(("Channels:room:Access", "public"))).Channels;
        catalog.IsReserved("post_created").ShouldBeTrue();
        catalog.IsReserved("analytics:updated").ShouldBeTrue();
        catalog.IsReserved("hello").ShouldBeFalse();
        catalog.IsFlat(new ChannelName("post", "1"), "post:1:status").ShouldBeTrue();
        catalog.IsFlat(new ChannelName("room", "1"), "hello").ShouldBeFalse();
    }

    [Fact]
    public void A_switch_in_the_configuration_is_followed_without_a_restart()
    {
        var configuration = Configuration(("Features:Realtime", "true"));
        using var switches = new FeatureSwitches(configuration);
        var changes = 0;
        switches.Changed += () => changes++;
        (switches.Realtime, switches.AuthorNotifications).ShouldBe((true, true));

        configuration["Tidings:Features:Realtime"] = "false";
        configuration.Reload();
        (switches.Realtime, switches.AuthorNotifications, changes).ShouldBe((false, true, 1));

        configuration["Tidings:Features:Realtime"] = "nonsense";
        configuration.Reload();
        (switches.Realtime, changes).ShouldBe((false, 1));

        switches.AuthorNotifications = false;
        (switches.AuthorNotifications, changes).ShouldBe((false, 2));
    }

    private static IConfigurationRoot Configuration(params (string Key, string? Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Tidings:{setting.Key}", (string?)setting.Value))).Build();
}
