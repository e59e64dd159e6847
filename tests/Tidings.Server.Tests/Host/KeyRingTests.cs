using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Server.Host;
using Tidings.Server.Host.Keys;
using Tidings.Server.Storage;
using Tidings.Server.Tests.Storage;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class KeyRingTests
{
    private const string Old = "an-older-key-of-forty-odd-bytes-0123456789ab";
    private const string New = "the-newer-key-of-forty-odd-bytes-9876543210cd";

    [Fact]
    public void A_key_is_unwrapped_by_any_node_with_the_same_setting_and_two_wrappings_differ()
    {
        var wrapped = new KeyWrapping([Old]).Wrap("<key>größer</key>");

        new KeyWrapping([Old]).Unwrap(wrapped).ShouldBe("<key>größer</key>");
        new KeyWrapping([Old]).Wrap("<key>größer</key>").ShouldNotBe(wrapped);
        Encoding.UTF8.GetString(wrapped).ShouldNotContain("key");
    }

    [Fact]
    public void A_new_key_in_front_wraps_and_the_old_one_behind_it_still_unwraps()
    {
        var before = new KeyWrapping([Old]).Wrap("x");
        var both = new KeyWrapping([New, Old]);

        both.Unwrap(before).ShouldBe("x");
        new KeyWrapping([New]).Unwrap(both.Wrap("y")).ShouldBe("y");
        Should.Throw<CryptographicException>(() => new KeyWrapping([New]).Unwrap(before)).Message.ShouldContain("Tidings:EncryptionKeys");
    }

    [Fact]
    public void A_key_that_was_changed_or_cut_is_refused()
    {
        var keys = new KeyWrapping([Old]);
        var wrapped = keys.Wrap("<key/>");
        for (var at = 0; at < wrapped.Length; at++)
        {
            var changed = (byte[])wrapped.Clone();
            changed[at] ^= 1;
            Should.Throw<CryptographicException>(() => keys.Unwrap(changed), $"byte {at}");
            Should.Throw<CryptographicException>(() => keys.Unwrap(wrapped.AsSpan(0, at)), $"{at} bytes");
        }
    }

    [Fact]
    public async Task Nodes_that_share_a_database_read_what_the_others_protected_and_the_database_alone_opens_nothing()
    {
        using var store = new TempStore();
        string secret;
        await using (var one = Node(store.Store, Old)) secret = one.GetRequiredService<IDataProtectionProvider>().CreateProtector("accounts").Protect("a token");

        await using (var other = Node(store.Store, New, Old)) other.GetRequiredService<IDataProtectionProvider>().CreateProtector("accounts").Unprotect(secret).ShouldBe("a token");
        await using (var stranger = Node(store.Store, New))
            Should.Throw<CryptographicException>(() => stranger.GetRequiredService<IDataProtectionProvider>().CreateProtector("accounts").Unprotect(secret));
        var kept = await store.Store.QueryAsync<string>("SELECT xml FROM data_protection_keys", new { }, CancellationToken.None);
        kept.ShouldNotBeEmpty();
        kept.ShouldAllBe(xml => xml.Contains("<wrapped ", StringComparison.Ordinal) && !xml.Contains("masterKey", StringComparison.Ordinal));
    }

    private static ServiceProvider Node(Store store, params string[] keys)
    {
        var settings = new Dictionary<string, string?> { ["Tidings:EncryptionKeys"] = string.Join(',', keys) };
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(TimeProvider.System).AddSingleton(store);
        services.AddKeyRing(OptionsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()));
        return services.BuildServiceProvider();
    }
}
