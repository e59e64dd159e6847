using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Tidings.Server.Storage;

namespace Tidings.Server.Host.Keys;

/// <summary>Registers where Data Protection keeps its keys.</summary>
internal static class KeyRingSetup
{
    /// <summary>One node has files in its data directory; nodes that share a database share wrapped keys in it.</summary>
    public static void AddKeyRing(this IServiceCollection services, TidingsOptions options)
    {
        var protection = services.AddDataProtection().SetApplicationName("tidings");
        if (options.EncryptionKeys.Count == 0)
        {
            protection.PersistKeysToFileSystem(new DirectoryInfo(Path.Combine(options.DataDirectory, "keys")));
            return;
        }

        services.AddSingleton(new KeyWrapping(options.EncryptionKeys));
        services.AddOptions<KeyManagementOptions>().Configure<Store, KeyWrapping, TimeProvider>(static (keys, store, wrapping, clock) =>
        {
            keys.XmlRepository = new StoredKeyRing(store, clock);
            keys.XmlEncryptor = new WrappedXmlEncryptor(wrapping);
        });
    }
}
