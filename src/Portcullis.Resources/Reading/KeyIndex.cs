namespace Portcullis.Resources.Reading;

/// <summary>The keys of one mapping: a short list while there are few, a set when there are many.</summary>
internal sealed class KeyIndex
{
    private const int ListLimit = 16;

    private readonly List<string> _few = [];
    private HashSet<string>? _many;

    /// <summary><see langword="false"/> when the key is there already.</summary>
    public bool Add(string key)
    {
        if (_many is not null)
        {
            return _many.Add(key);
        }

        if (_few.Contains(key))
        {
            return false;
        }

        _few.Add(key);
        if (_few.Count > ListLimit)
        {
            _many = new(_few, StringComparer.Ordinal);
        }

        return true;
    }
}
