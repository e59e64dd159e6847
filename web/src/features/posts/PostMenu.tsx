import type { Post } from '@tidings/client';
import { useState } from 'react';
import { MoreIcon, PenIcon, TrashIcon } from '../../app/icons';
import { Menu } from '../../app/Menu';
import { useVisit } from '../../app/VisitContext';
import { DeleteDialog } from './DeleteDialog';

export function PostMenu({ post }: { post: Post }) {
  const { composing } = useVisit();
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      <Menu label="More about this post" className="post-menu" trigger={<MoreIcon />}>
        <button type="button" role="menuitem" onClick={() => composing.beginEdit(post)}>
          <PenIcon />
          Edit
        </button>
        <button type="button" role="menuitem" className="danger" onClick={() => setDeleting(true)}>
          <TrashIcon />
          Delete
        </button>
      </Menu>
      {deleting && <DeleteDialog post={post} close={() => setDeleting(false)} />}
    </>
  );
}
