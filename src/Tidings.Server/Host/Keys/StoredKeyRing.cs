using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Tidings.Server.Storage;

namespace Tidings.Server.Host.Keys;

/// <summary>
/// Data Protection's keys in the database, where all nodes find them. The framework asks at the first use and once a day, and wants the answer on the
/// spot. Safe for all threads.
/// </summary>
internal sealed class StoredKeyRing(Store store, TimeProvider clock) : IXmlRepository
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var deadline = new CancellationTokenSource(Patience, clock);
        var rows = store.QueryAsync<string>(Sql.All, new { }, deadline.Token).GetAwaiter().GetResult();
        return [.. rows.Select(static xml => XElement.Parse(xml))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var deadline = new CancellationTokenSource(Patience, clock);
        var row = new { Name = friendlyName, Xml = element.ToString(SaveOptions.DisableFormatting), Now = clock.GetUtcNow() };
        store.WriteAsync(async write => { await write.ExecuteAsync(Sql.Add, row); }, deadline.Token).GetAwaiter().GetResult();
    }

    private static class Sql
    {
        public const string All = "SELECT xml FROM data_protection_keys ORDER BY created_at, name";

        public const string Add = "INSERT INTO data_protection_keys (name, xml, created_at) VALUES (@Name, @Xml, @Now)";
    }
}
